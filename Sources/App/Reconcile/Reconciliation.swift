// The comparison itself: both sides by day, model and key, and what each has that the other has
// not.

import Metering

/// An export beside the ledger.
struct Reconciliation: Sendable {
  enum State: String, Sendable, CaseIterable {
    case equal
    /// Both have it, with different figures.
    case differs
    case onlyProvider
    case onlyLedger
  }

  /// One day, model and key.
  struct Row: Sendable {
    var day: CivilDate
    /// Nil where models are not told apart.
    var model: String?
    /// The ledger's name of the model, where it is another.
    var ledgerModel: String?
    /// The upstream, or a provider's key that belongs to none; nil where keys are not told apart.
    var place: String?
    var provider = UsageFigures()
    var ledger = UsageFigures()
    var costSlack: Int64 = 0
    var doubts = LedgerDoubts()
    /// What the provider's lines of it count; empty where there is none.
    fileprivate var counted: Set<UsageMeasure> = []
    fileprivate(set) var hasProvider = false
    fileprivate(set) var hasLedger = false
    /// The measures whose figures lie too far apart.
    fileprivate(set) var differing: [UsageMeasure] = []

    var state: State {
      if differing.isEmpty { return .equal }
      return hasProvider ? hasLedger ? .differs : .onlyProvider : .onlyLedger
    }
  }

  /// How the sides are told apart and brought together.
  struct Rules: Sendable {
    /// Upstreams by the provider's key ids; empty: keys are not told apart.
    var upstreams: [String: String] = [:]
    var pairs = ModelPairs()
    var tolerance = ReconcileTolerance.none
  }

  private struct Key: Hashable {
    var day: CivilDate
    var place: String?
    var model: String?
  }

  /// By day, place and model.
  private(set) var rows: [Row] = []
  let measures: [UsageMeasure]
  let hasModels: Bool
  let hasKeys: Bool
  /// What lines that name no model, or no key, are shown under where others do.
  static let unnamed = "(none)"

  /// A model whose pictures are priced by size (`hd/1024-x-1024/MODEL`) is one model.
  static func model(_ name: String) -> String { PictureName(name)?.model ?? name }

  init(_ export: ProviderExport, ledger: [LedgerRow], rules: Rules) {
    measures = UsageMeasure.allCases.filter { export.measures.contains($0) }
    hasModels = export.hasModels
    hasKeys = !export.keys.isEmpty && !rules.upstreams.isEmpty
    var found = provider(export, rules)
    join(ledger, to: &found, export.measures, rules)
    rows = found.values.compactMap { row in
      var row = row
      let compared = compared(row)
      row.differing = differing(row, in: compared, rules.tolerance)
      // What neither side has a figure for is no row.
      let hasFigures = compared.contains { row.provider[$0] != 0 || row.ledger[$0] != 0 }
      return hasFigures ? row : nil
    }.sorted {
      ($0.day, $0.place ?? "", $0.model ?? "") < ($1.day, $1.place ?? "", $1.model ?? "")
    }
  }

  private func provider(_ export: ProviderExport, _ rules: Rules) -> [Key: Row] {
    var found: [Key: Row] = [:]
    for line in export.rows {
      let named = line.key ?? Self.unnamed
      let key = Key(
        day: line.day, place: hasKeys ? rules.upstreams[named] ?? named : nil,
        model: hasModels ? line.model.map(Self.model) ?? Self.unnamed : nil)
      var row = found[key] ?? Row(day: key.day, model: key.model, place: key.place)
      row.hasProvider = true
      row.provider.add(line.figures)
      row.counted.formUnion(line.counted ?? export.measures)
      row.costSlack = row.costSlack.addingClamped(line.costSlack)
      found[key] = row
    }
    return found
  }

  private func join(
    _ ledger: [LedgerRow], to found: inout [Key: Row], _ measured: Set<UsageMeasure>,
    _ rules: Rules
  ) {
    let byPlace = Dictionary(grouping: ledger) {
      Key(day: $0.key.day, place: hasKeys ? $0.key.upstream : nil, model: nil)
    }
    for (place, lines) in byPlace {
      var theirs: [String: String] = [:]
      if hasModels {
        let names = found.keys.filter { $0.day == place.day && $0.place == place.place }
        let pairs = rules.pairs.pairs(
          provider: Set(names.compactMap(\.model)), ledger: Set(lines.map(\.key.model)))
        for (provider, own) in pairs { theirs[own] = provider }
      }
      for line in lines {
        let model = hasModels ? theirs[line.key.model] ?? line.key.model : nil
        let key = Key(day: place.day, place: place.place, model: model)
        var row = found[key] ?? Row(day: key.day, model: model, place: key.place)
        if model != nil, model != line.key.model { row.ledgerModel = line.key.model }
        row.hasLedger = row.hasLedger || line.figures != UsageFigures()
        row.ledger.add(line.figures.folded(to: measured))
        row.doubts.add(line.doubts)
        found[key] = row
      }
    }
  }

  /// The measures that a row is compared by.
  private func compared(_ row: Row) -> [UsageMeasure] {
    let countsTokens = measures.contains { !$0.isUnit && $0 != .requests }
    guard row.hasProvider else {
      // An export of pictures says nothing of calls that made none.
      let isCounted = countsTokens || measures.contains { $0.isUnit && row.ledger[$0] != 0 }
      return isCounted ? measures : []
    }
    return measures.filter { measure in
      guard row.counted.contains(measure) else { return false }
      // Calls that are billed by tokens do not say how many pictures, characters or seconds.
      let isTold = ![.images, .characters, .seconds].contains(measure) || row.ledger[measure] != 0
      return isTold || !row.ledger.hasTokens
    }
  }

  private func differing(
    _ row: Row, in compared: [UsageMeasure], _ tolerance: ReconcileTolerance
  ) -> [UsageMeasure] {
    compared.filter { measure in
      // A charge is rounded to a nanodollar, once a call.
      let slack = measure == .cost ? row.costSlack + min(row.ledger[.requests], 1 << 40) : 0
      return !tolerance.takes(row.provider[measure], row.ledger[measure], slack: slack)
    }
  }

  func count(_ state: State) -> Int { rows.count { $0.state == state } }

  var isEqual: Bool { count(.equal) == rows.count }

  /// Everything added up.
  var total: (provider: UsageFigures, ledger: UsageFigures) {
    rows.reduce(into: (UsageFigures(), UsageFigures())) {
      $0.0.add($1.provider)
      $0.1.add($1.ledger)
    }
  }
}
