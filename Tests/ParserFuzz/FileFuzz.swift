// What people bring from elsewhere: exports of a provider's usage or costs, price tables.

import Foundation
import Metering

@testable import App

enum Files {
  /// In memory: a fuzzer writes it thousands of times a second.
  private static let path = "/dev/shm/leeway-fuzz-\(ProcessInfo.processInfo.processIdentifier)"

  /// An export is read or refused, and what is read stands within the export's own days.
  static func checkExport(_ bytes: UnsafeRawBufferPointer) {
    // Foundation loses an allocation at each empty file, which the sanitizer would report.
    guard bytes.count > 0 else { return }
    try? Data(bytes).write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    do {
      let export = try ExportFile.read([path])
      precondition(!export.span.isEmpty, "an export of no time")
      for row in export.rows {
        let noon = row.day.daysSinceEpoch * 86_400_000 + 43_200_000
        precondition(
          export.span.lowerBound.milliseconds - 86_400_000 <= noon
            && noon <= export.span.upperBound.milliseconds + 86_400_000, "a row of another time")
      }
    } catch {
      precondition(!error.description.isEmpty)
    }
  }

  /// A table is read or refused whole; no price of it is below zero.
  static func checkPrices(_ bytes: UnsafeRawBufferPointer) {
    let day = CivilDate(daysSinceEpoch: 20_454)
    guard
      let table = try? PriceTable(Array(bytes), path: "t.jsonl", sha256: "", from: day)
    else { return }
    precondition(table.rowCount >= table.books.values.reduce(0) { $0 + $1.count })
  }
}
