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
    if Self.isBatch(call), !addsUp(call) { return skip(.batch) }
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
    guard call.usage[.audioInMilliseconds] > 0, call.charge == call.estimate,
      let price = price(of: PricedCalls.Key(call).model, call)
    else { return false }
    return price.chargesInput && price.chargesOutput
  }

  // MARK: Batches

  private static func isBatch(_ call: CallRow) -> Bool {
    call.serviceTier?.hasPrefix(ModelPrice.batchTier) == true
  }

  /// Whether the sum of a batch's answers says what they cost.
  private func addsUp(_ call: CallRow) -> Bool {
    guard let tier = call.serviceTier, tier != ModelPrice.mixedBatchTier else { return false }
    let own = ModelUsage(model: PricedCalls.Key(call).model, usage: call.usage)
    return ([own] + call.otherModels).allSatisfy { part in
      let price = price(of: part.model, call)
      return price?.addsUp(inputTokens: part.usage.inputTotal, serviceTier: tier) ?? false
    }
  }

  private func price(of model: String, _ call: CallRow) -> ModelPrice? {
    let book = books[call.upstream]
    return book?.price(model: model, at: call.at) ?? book?.price(model: call.model, at: call.at)
  }

  /// Each answer of a batch was rounded up to a nanodollar by itself. How many there were was not
  /// kept: none has less than a token.
  private static func rounding(of call: CallRow) -> UInt64 {
    guard isBatch(call) else { return 0 }
    let answers = ([call.usage] + call.otherModels.map(\.usage)).reduce(Int64(0)) { sum, usage in
      sum.addingClamped(usage.outputTotal > 0 ? usage.outputTotal : usage.inputTotal)
    }
    return UInt64(max(answers, 0))
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
