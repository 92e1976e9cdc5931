// A price table's file.

import Crypto
import Foundation
import Metering

extension PriceTable {
  private static let bytesMax = 256 << 20

  /// Reads a table from a file.
  ///
  /// - Parameters:
  ///   - from: the day from which its prices hold.
  ///   - providers: only these books; empty: all.
  init(path: String, from: CivilDate, providers: Set<String> = []) throws(PriceFault) {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
      throw PriceFault("\(path) cannot be read", hint: "Check that it is a file you may read.")
    }
    guard data.count <= Self.bytesMax else {
      throw PriceFault("\(path) is larger than 256 MiB", hint: "Check that it is a price table.")
    }
    let sha256 = SHA256.hash(data: data).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    try self.init([UInt8](data), path: path, sha256: sha256, from: from, providers: providers)
  }
}
