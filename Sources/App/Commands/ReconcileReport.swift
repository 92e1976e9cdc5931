// What a comparison found, for people and for machines.

import Metering

/// A comparison and what must be said beside it.
struct ReconcileReport {
  let result: Reconciliation
  let export: ProviderExport
  let upstreams: [String]
  /// Keys of the export that no upstream is said for.
  let unmapped: [String]
  let now: Timestamp

  private var hasCost: Bool { export.measures.contains(.cost) }
  private var hasOnlyCost: Bool { export.measures == [.cost] }

  var notes: [String] {
    var notes = export.notes
    if hasOnlyCost { notes.append("The export counts money only: calls are not compared.") }
    if !hasCost {
      notes.append("The export has no money; the ledger's charges are shown, not compared.")
    }
    if !result.hasModels {
      notes.append("The export does not tell models apart: whole days are compared.")
    } else if export.rows.contains(where: { $0.model == nil }) {
      notes.append(
        "What the export names no model for is \(Reconciliation.unnamed); the ledger has such fees "
          + "in the charge of the model that used them: look at the day's sum.")
    }
    if !unmapped.isEmpty {
      let list =
        unmapped.prefix(Self.keysMax).joined(separator: ", ")
        + (unmapped.count > Self.keysMax ? " and \(unmapped.count - Self.keysMax) more" : "")
      notes.append(
        result.hasKeys
          ? "Keys that no upstream is said for: \(list). Those of the gateway: --key ID=UPSTREAM."
          : "The export's keys are added up: \(list). To compare by key: --key ID=UPSTREAM.")
    }
    if upstreams.count > 1, !result.hasKeys {
      notes.append("Added up over the upstreams \(upstreams.joined(separator: ", ")).")
    }
    let kept = now.adding(milliseconds: -Retention.callDays * Retention.dayMilliseconds)
    if export.span.lowerBound < kept {
      notes.append("Calls from before \(kept.day) have aged out of the ledger.")
    }
    if export.span.upperBound > now {
      notes.append("The span is not over: providers report hours late, and calls may be open.")
    }
    return notes
  }

  /// More keys than this are counted and not told.
  private static let keysMax = 20

  /// What a state usually means.
  private func meaning(_ state: Reconciliation.State) -> String? {
    switch state {
    case .onlyProvider:
      hasOnlyCost
        ? "only the provider: a fee, or a charge for what the ledger has under another name or day."
        : "only the provider: usually calls that went round the gateway with the provider's key."
    case .onlyLedger:
      "only the ledger: the export is late or of another organization, project or key."
    case .equal, .differs: nil
    }
  }

  private static func words(_ state: Reconciliation.State) -> String {
    switch state {
    case .equal: "equal"
    case .differs: "differs"
    case .onlyProvider: "only the provider"
    case .onlyLedger: "only the ledger"
    }
  }

  /// An amount or count with its sign.
  private static func signed(_ value: Int64, _ measure: UsageMeasure) -> String {
    value > 0 ? "+" + measure.text(value) : measure.text(value)
  }

  private static func difference(_ provider: Int64, _ ledger: Int64) -> Int64 {
    provider.addingClamped(-max(ledger, -.max))
  }

  // MARK: - For people

  func print(all: Bool) {
    Console.line(
      "\(Moment.text(export.span.lowerBound)) to \(Moment.text(export.span.upperBound)), "
        + "\(upstreams.joined(separator: ", "))")
    let shown = result.rows.filter { all || $0.state != .equal }
    let header =
      ["DAY"] + (result.hasKeys ? ["UPSTREAM OR KEY"] : [])
      + (result.hasModels ? ["MODEL"] : [])
      + ["STATE", "WHAT", "PROVIDER", "LEDGER", "DIFFERENCE", "MAY EXPLAIN IT"]
    let numbers = header.count - 4..<header.count - 1
    Console.table(
      header, shown.flatMap { lines(of: $0) } + totals(columns: header.count),
      rightAligned: Set(numbers))
    let counts = Reconciliation.State.allCases.map { "\(Self.words($0)) \(result.count($0))" }
    Console.line("Rows: \(counts.joined(separator: ", ")).")
    for state in Reconciliation.State.allCases where result.count(state) > 0 {
      if let text = meaning(state) { Console.line("  \(text)") }
    }
    for note in notes { Console.line(note) }
  }

  /// A line for each measure that differs, or for all of a row that is equal.
  private func lines(of row: Reconciliation.Row) -> [[String]] {
    let measures = row.state == .equal ? result.measures : row.differing
    var head = ["\(row.day)"]
    if result.hasKeys { head.append(row.place ?? "") }
    if result.hasModels {
      head.append(
        (row.model ?? "") + (row.ledgerModel.map { " (ledger: \($0))" } ?? ""))
    }
    head.append(Self.words(row.state))
    var lines = measures.enumerated().map { index, measure in
      (index == 0 ? head : head.map { _ in "" })
        + cells(measure, row.provider, row.ledger)
        + [index == 0 ? explanation(row.doubts) : ""]
    }
    if !hasCost, row.ledger[.cost] != 0 {
      lines.append(head.map { _ in "" } + ["USD", "", UsageMeasure.cost.text(row.ledger[.cost])])
      while lines[lines.count - 1].count < head.count + 5 { lines[lines.count - 1].append("") }
    }
    return lines
  }

  private func explanation(_ doubts: LedgerDoubts) -> String {
    doubts.parts.map { "\($0.count) \($0.text)" }.joined(separator: ", ")
  }

  private func cells(
    _ measure: UsageMeasure, _ provider: UsageFigures, _ ledger: UsageFigures
  ) -> [String] {
    [
      measure.title, measure.text(provider[measure]), measure.text(ledger[measure]),
      Self.signed(Self.difference(provider[measure], ledger[measure]), measure),
    ]
  }

  private func totals(columns: Int) -> [[String]] {
    let total = result.total
    return result.measures.enumerated().map { index, measure in
      let head = [index == 0 ? "total" : ""]
      let cells = cells(measure, total.provider, total.ledger) + [""]
      return head + Array(repeating: "", count: columns - 1 - cells.count) + cells
    }
  }

  // MARK: - For machines

  struct Encoded: Encodable {
    struct Figure: Encodable {
      var provider: Int64
      var ledger: Int64
      var difference: Int64
      var isEqual: Bool
    }

    struct Row: Encodable {
      var day: String
      var model: String?
      var ledgerModel: String?
      var key: String?
      var state: String
      /// Nanodollars where the measure is money.
      var measures: [String: Figure]
      /// What the ledger charged, compared or not.
      var ledgerCostNanodollars: Int64
      var mayExplain: [String: Int64]
    }

    struct Total: Encodable {
      var provider: Int64
      var ledger: Int64
      var difference: Int64
    }

    var from: String
    var until: String
    var provider: String?
    var upstreams: [String]
    var isEqual: Bool
    var counts: [String: Int]
    var rows: [Row]
    var totals: [String: Total]
    var unmappedKeys: [String]
    var notes: [String]
  }

  var encoded: Encoded {
    let total = result.total
    return Encoded(
      from: Moment.text(export.span.lowerBound), until: Moment.text(export.span.upperBound),
      provider: export.dialect?.rawValue, upstreams: upstreams, isEqual: result.isEqual,
      counts: Dictionary(
        uniqueKeysWithValues: Reconciliation.State.allCases.map {
          ($0.rawValue, result.count($0))
        }),
      rows: result.rows.map(encoded),
      totals: Dictionary(
        uniqueKeysWithValues: result.measures.map { measure in
          let (provider, ledger) = (total.provider[measure], total.ledger[measure])
          return (
            measure.name,
            Encoded.Total(
              provider: provider, ledger: ledger,
              difference: Self.difference(provider, ledger))
          )
        }), unmappedKeys: unmapped, notes: notes)
  }

  private func encoded(_ row: Reconciliation.Row) -> Encoded.Row {
    Encoded.Row(
      day: "\(row.day)", model: row.model, ledgerModel: row.ledgerModel, key: row.place,
      state: row.state.rawValue,
      measures: Dictionary(
        uniqueKeysWithValues: result.measures.map { measure in
          let (provider, ledger) = (row.provider[measure], row.ledger[measure])
          return (
            measure.name,
            Encoded.Figure(
              provider: provider, ledger: ledger,
              difference: Self.difference(provider, ledger),
              isEqual: !row.differing.contains(measure))
          )
        }), ledgerCostNanodollars: row.ledger[.cost],
      mayExplain: Dictionary(
        uniqueKeysWithValues: row.doubts.parts.map { ($0.name, $0.count) }))
  }
}
