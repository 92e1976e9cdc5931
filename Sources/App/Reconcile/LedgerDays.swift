// The ledger's side of a comparison: settled calls by day, upstream and model, and what of them is
// not certain.

import Metering
import Store

/// Calls that may explain a difference, counted.
struct LedgerDoubts: Hashable, Sendable {
  /// The provider reported no usage: tokens are unknown and the charge is the reservation.
  var estimated: Int64 = 0
  /// Nothing is known of what they used: calls that the gateway does not meter.
  var unknown: Int64 = 0
  /// Tokens were used and nothing was charged.
  var unpriced: Int64 = 0
  /// The gateway died with them open; not counted among the settled ones.
  var expired: Int64 = 0
  /// Not ended yet; not counted among the settled ones.
  var open: Int64 = 0
  /// Under way at midnight UTC: either day may be the provider's.
  var atMidnight: Int64 = 0
  /// Other models were used within them, whose cost is in the answering model's charge.
  var withOtherModels: Int64 = 0

  /// Each count with its words, in one order.
  var parts: [(name: String, text: String, count: Int64)] {
    [
      ("estimated", "estimated", estimated), ("unknownUsage", "of unknown usage", unknown),
      ("unpriced", "charged nothing", unpriced),
      ("expired", "expired", expired), ("open", "still open", open),
      ("atMidnight", "under way at midnight", atMidnight),
      ("withOtherModels", "with other models", withOtherModels),
    ].filter { $0.2 > 0 }
  }

  var isEmpty: Bool { parts.isEmpty }

  mutating func add(_ other: LedgerDoubts) {
    estimated += other.estimated
    unknown += other.unknown
    unpriced += other.unpriced
    expired += other.expired
    open += other.open
    atMidnight += other.atMidnight
    withOtherModels += other.withOtherModels
  }
}

/// The settled calls of one day, upstream and model.
struct LedgerRow: Hashable, Sendable {
  struct Key: Hashable, Sendable {
    var day: CivilDate
    var upstream: String
    /// The model that the provider said it ran, else the one asked for.
    var model: String
  }

  var key: Key
  var figures = UsageFigures()
  var doubts = LedgerDoubts()
}

/// Adds up calls.
struct LedgerDays {
  /// Calls that began earlier than this before the span are over when it begins.
  static let longestCallMilliseconds: Int64 = 86_400_000
  /// The states whose calls matter here.
  static let states: [CallRow.State] = [.settled, .expired, .reserved]

  private let span: Range<Timestamp>
  private let upstreams: Set<String>
  private var byKey: [LedgerRow.Key: LedgerRow] = [:]

  /// - Parameters:
  ///   - span: calls that began in it are counted.
  ///   - upstreams: only their calls.
  init(span: Range<Timestamp>, upstreams: Set<String>) {
    self.span = span
    self.upstreams = upstreams
  }

  var rows: [LedgerRow] { Array(byKey.values) }

  /// Counts a call; those before the span too, since they may have ended in it.
  mutating func add(_ call: CallRow) {
    guard upstreams.contains(call.upstream) else { return }
    let priced = PricedCalls.Key(call)
    func key(_ day: CivilDate, _ model: String) -> LedgerRow.Key {
      // What is not metered may name no model.
      LedgerRow.Key(
        day: day, upstream: call.upstream,
        model: model.isEmpty ? Reconciliation.unnamed : Reconciliation.model(model))
    }
    let began = call.at.day
    if let ended = call.endedAt, ended.day != began {
      for edge in [call.at, ended] where span.contains(edge) {
        change(key(edge.day, priced.model)) { $0.doubts.atMidnight += 1 }
      }
    }
    guard span.contains(call.at) else { return }
    change(key(began, priced.model)) { Self.add(call, to: &$0) }
    guard call.state == .settled else { return }
    for other in call.otherModels {
      change(key(began, other.model)) { $0.figures.add(UsageFigures(other.usage)) }
    }
  }

  private mutating func change(_ key: LedgerRow.Key, _ body: (inout LedgerRow) -> Void) {
    body(&byKey[key, default: LedgerRow(key: key)])
  }

  private static func add(_ call: CallRow, to row: inout LedgerRow) {
    switch call.state {
    case .expired: row.doubts.expired += 1
    case .reserved: row.doubts.open += 1
    case .settled:
      let tokens = UsageFigures(call.usage, picture: PictureName(call.responseModel))
      row.figures.add(tokens)
      // Of a batch its answers were counted.
      if tokens[.requests] == 0 { row.figures.add(1, to: .requests) }
      row.figures.add(call.charge.nanodollars, to: .cost)
      switch call.usage.source {
      case .reported: break
      case .estimated: row.doubts.estimated += 1
      case .unknown: row.doubts.unknown += 1
      }
      if call.charge == .zero, tokens != UsageFigures() { row.doubts.unpriced += 1 }
      if !call.otherModels.isEmpty { row.doubts.withOtherModels += 1 }
    case .released, .refused: break
    }
  }
}
