// The folder thresholds/prices/ as the price commands see it: read whole, written all or nothing.

import Foundation
import Metering
import Yams

/// The folder of price books.
struct PriceFolder {
  let path: String

  func file(_ book: String) -> String { "\(path)/\(book).yaml" }

  /// The books that there are, sorted.
  var names: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return files.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }
      .map { String($0.dropLast(".yaml".count)) }.sorted()
  }

  /// Reads a book; faults go to the log.
  func read(_ book: String, log: FaultLog) -> PriceFile {
    let file = file(book)
    return SettingsFile.read(file, shown: file, log: log).map { PriceFile($0) }
      ?? PriceFile(file: file)
  }

  /// The text of a book.
  func text(of book: String) throws(PriceFault) -> String {
    do { return try String(contentsOfFile: file(book), encoding: .utf8) } catch {
      throw PriceFault("\(file(book)) cannot be read", hint: "Check that you may read it.")
    }
  }

  /// Reads a book's text as if it stood in the file already.
  ///
  /// - Throws: where it has a fault.
  static func parse(_ text: String, as file: String) throws(PriceFault) -> PriceFile {
    let log = FaultLog()
    let root = SettingsFile.parse(text, shown: file, log: log)
    let prices = root.map { PriceFile($0) } ?? PriceFile(file: file)
    if let fault = log.faults.min() {
      throw PriceFault("\(file) has a fault: \(fault)", hint: "Nothing was written.")
    }
    return prices
  }

  /// Writes files whole: all of them, or, where one cannot be written, none.
  ///
  /// Every text goes into a file beside its own first, and takes its name only when all are on
  /// disk.
  func write(_ texts: [String: String]) throws(PriceFault) {
    let books = texts.keys.sorted()
    let suffix = ".new-\(ProcessInfo.processInfo.processIdentifier)"
    func waiting(_ book: String) -> String { path + "/." + book + suffix }
    var old: [(book: String, data: Data?)] = []
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for book in books {
        try Self.writeThrough(Data((texts[book] ?? "").utf8), to: waiting(book))
      }
      for book in books {
        old.append((book, FileManager.default.contents(atPath: file(book))))
        try Self.move(waiting(book), to: file(book))
      }
    } catch {
      // The one that failed last was not moved; those before it take back what they had.
      for (book, data) in old.dropLast() {
        guard let data else {
          try? FileManager.default.removeItem(atPath: file(book))
          continue
        }
        try? Self.writeThrough(data, to: waiting(book))
        try? Self.move(waiting(book), to: file(book))
      }
      for book in books { try? FileManager.default.removeItem(atPath: waiting(book)) }
      throw PriceFault(
        "\(path) cannot be written: \(error.localizedDescription)",
        hint: "Check the folder's permissions and the disk; every book is as it was.")
    }
  }

  private static func writeThrough(_ data: Data, to path: String) throws {
    try data.write(to: URL(fileURLWithPath: path))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.synchronize()
    try handle.close()
  }

  private static func move(_ from: String, to: String) throws {
    guard rename(from, to) == 0 else {
      throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: to])
    }
  }
}
