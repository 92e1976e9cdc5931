// Which calls were charged at a price that the books no longer say, and what they cost at theirs.

import Metering
import Store

/// A repricing before it is asked for.
struct RepricingPlan {
  /// Why a call's charge stays as it is though it is within the span.
  enum Skip: String, CaseIterable {
    case expired, estimated, unknownUsage, unpriced, partlyPriced, accountsUnknown, batch

    var text: String {
      switch self {
      case .expired: "charged at their reservation, since the gateway died with them open"
      case .estimated: "charged at their reservation, since the provider reported no usage"
      case .unknownUsage: "of unknown usage"
      case .unpriced: "of models that no book prices on that day"
      case .partlyPriced: "with units that the model's price does not say"
      case .accountsUnknown: "made before the accounts of a call were kept"
      case .batch:
        "batches, of whose requests only the sum was kept, at prices that depend on each"
      }
    }
  }

  /// Which calls of a span are looked at.
  struct Filter {
    var app: String?
    var upstream: String?
    /// Asked for or run.
    var model: String?

    func takes(_ call: CallRow) -> Bool {
      (app.map { $0 == call.app } ?? true)
        && (upstream.map { $0 == call.upstream } ?? true)
        && (model.map { $0 == call.model || $0 == call.responseModel } ?? true)
    }
  }

  private(set) var changed: [PricedCalls.Key: PricedCalls.Row] = [:]
  private(set) var unchanged: Int64 = 0
  private(set) var skipped: [Skip: Int64] = [:]
  private(set) var charges: [Repricing.Charge] = []
  /// What was charged for each of `charges`, in the same order.
  private(set) var before: [Money] = []
  private let filter: Filter
  private let books: [String: PriceBook]

  /// - Parameter books: the prices that ought to have held, by upstream.
  init(filter: Filter, books: [String: PriceBook]) {
    self.filter = filter
    self.books = books
  }

  /// Looks at a call: at the prices of the moment at which it began, as when it was charged.
  mutating func add(_ call: CallRow) {
    guard filter.takes(call) else { return }
    switch charge(of: call) {
    case .failure(let skip): skipped[skip.reason, default: 0] += 1
    case .success(let charge):
      let distance = charge.addingClamped(Money(nanodollars: -call.charge.nanodollars))
      guard distance.nanodollars.magnitude > Self.rounding(of: call) else {
        unchanged += 1
        return
      }
      changed[PricedCalls.Key(call), default: PricedCalls.Row()].add(
        PricedCalls.Row(calls: 1, charged: call.charge, priced: charge))
      charges.append(Repricing.Charge(call: call.call, charge: charge))
      before.append(call.charge)
    }
  }

  var total: PricedCalls.Row { PricedCalls.total(of: changed) }

  private struct Skipped: Error { var reason: Skip }

  private func charge(of call: CallRow) -> Result<Money, Skipped> {
    func skip(_ reason: Skip) -> Result<Money, Skipped> { .failure(Skipped(reason: reason)) }
    if call.state == .expired { return skip(.expired) }
    if let book = books[call.upstream], !book.pricesSum(of: call, at: call.at) {
      return skip(.batch)
    }
    switch call.usage.source {
    case .reported: break
    case .estimated: return skip(.estimated)
    case .unknown: return skip(.unknownUsage)
    }
    guard let cost = books[call.upstream]?.cost(of: call, at: call.at) else {
      return skip(.unpriced)
    }
    if cost.isPartial { return skip(.partlyPriced) }
    guard call.hasKnownAccounts else { return skip(.accountsUnknown) }
    return .success(isHeldByTokens(call) ? min(cost.amount, call.estimate) : cost.amount)
  }

  /// Whether it is a sound of unknown length that was charged what was held for its tokens, which
  /// it costs at the most.
  private func isHeldByTokens(_ call: CallRow) -> Bool {
    let first = call.firstCharge ?? call.charge
    guard call.usage[.audioInMilliseconds] > 0, first == call.estimate,
      let book = books[call.upstream],
      let price = book.price(of: PricedCalls.Key(call).model, in: call, at: call.at)
    else { return false }
    return price.chargesInput && price.chargesOutput
  }

  /// Each answer of a batch was rounded up to a nanodollar by itself.
  private static func rounding(of call: CallRow) -> UInt64 {
    guard call.isBatch else { return 0 }
    let answers = call.parts.reduce(Int64(0)) { $0.addingClamped($1.usage[.requests]) }
    if answers > 0 { return UInt64(answers) }
    // Older versions did not count them: none has less than a token.
    let tokens = call.parts.map(\.usage).reduce(Int64(0)) { sum, usage in
      sum.addingClamped(usage.outputTotal > 0 ? usage.outputTotal : usage.inputTotal)
    }
    return UInt64(max(tokens, 0))
  }

  /// Asks for the charges, in pieces.
  /// - Returns: the numbers of the repricings; empty where nothing is to be changed.
  func place(
    in store: StoreDatabase, actor: String, reason: String, at now: Timestamp
  ) throws(StoreFault) -> [Int64] {
    // The order of calls, not of their times: so each piece ascends, as the journal wants it.
    let ordered = zip(charges, before).sorted { $0.0.call < $1.0.call }
    var numbers: [Int64] = []
    var start = 0
    while start < ordered.count {
      let piece = ordered[start..<min(start + StoreDatabase.repricingCallsMax, ordered.count)]
      let difference = piece.reduce(Money.zero) { sum, call in
        sum.addingClamped(call.0.charge)
          .addingClamped(Money(nanodollars: -call.1.nanodollars))
      }
      numbers.append(
        try store.placeRepricing(
          piece.map(\.0), difference: difference, actor: actor, reason: reason, at: now))
      start = piece.endIndex
    }
    return numbers
  }
}
