// A provider's own export as values, whatever its format was.

import Metering
import Providers

/// What one line of an export counts: a result of a bucket, or a row of a table.
struct ProviderUsageRow: Hashable, Sendable {
  var day: CivilDate
  /// As the provider names it; nil where the line names none.
  var model: String?
  /// The provider's id of the key, never a key itself; nil where the line names none.
  var key: String?
  var figures = UsageFigures()
  /// What the line counts, where that is not what the export counts.
  var counted: Set<UsageMeasure>?
  /// How far the line's amount may be from what was billed, in nanodollars: it was rounded.
  var costSlack: Int64 = 0
}

/// An export that was read without a fault.
struct ProviderExport: Sendable {
  var rows: [ProviderUsageRow] = []
  /// From the first bucket's start up to the last one's end.
  var span: Range<Timestamp>
  /// Nil where the file does not tell.
  var dialect: DialectID?
  /// What the export counts; the others are not compared.
  var measures: Set<UsageMeasure>
  /// Other names of keys, by their id.
  var keyNames: [String: Set<String>] = [:]
  /// What the reader must know to judge the comparison.
  var notes: [String] = []

  /// Whether the export tells models apart.
  var hasModels: Bool { rows.contains { $0.model != nil } }
  /// The ids of keys that it tells apart; empty where it does not.
  var keys: Set<String> { Set(rows.compactMap(\.key)) }
}

/// A key as it may be shown. An export of somebody's making may hold whole keys.
enum ShownKey {
  /// Ids and names as they are; of what looks like a key only the last four characters.
  static func text(_ text: String) -> String {
    let isSecret =
      ["sk-", "lw_", "gsk_", "AIza", "xai-"].contains { text.contains($0) }
      // Ids are short, names have blanks or are short.
      || text.count >= 40 && !text.contains(" ")
    return isSecret ? "…" + text.suffix(4) : text
  }
}

extension Timestamp {
  /// The day in UTC.
  var day: CivilDate { CivilDate(utc: self) }
}
