// What an ended call costs: the reading of its answer, or its estimate, turned into a bill.
//
// Pure: the exchange hands it all it knows, so that every row of the table below is a plain test.
//
//   the call ended with …       usage reported     usage not reported
//   reportedElseEstimate        charge, reported   charge the reservation, marked estimated; where
//                                                  the request says it all, that, as reported
//   reportedElseNothing         charge, reported   release
//   received                    charge, reported   charge what came and was under way, estimated
//   nothing                     release            release
//
// What was charged when it was made is never charged again. A path that is known to be free is
// released where the provider reports no usage, and charged like
// any other where it does: the provider knows better. A path whose usage cannot be read is settled
// at zero, marked unknown.

import Metering
import Providers

/// The charge of one call and how it is recorded.
struct Settlement: Equatable {
  var charge: Money
  var usage: Usage
  /// The reservation ends without a charge.
  var isReleased: Bool

  /// - Parameters:
  ///   - reserved: what the call holds; zero where its cost could not be bounded.
  ///   - at: the moment whose prices hold: the call's start, as for its estimate.
  ///   - isWhole: the answer is one of success, and came to its end.
  init(
    _ charge: Call.Charge, reading: CallReading, estimate: CallEstimate, reserved: Money,
    endpoint: Endpoint, prices: PriceBook, at: Timestamp, isWhole: Bool = false
  ) {
    if charge == .received, case .metered = endpoint, reading.usage == nil || !reading.isComplete {
      self.init(received: reading, estimate: estimate, reserved: reserved, prices: prices, at: at)
      return
    }
    if charge != .nothing, let reported = reading.usage {
      let whole = Self.whole(reported, estimate)
      let size = reading.searchSize ?? estimate.searchSize
      let usage = estimate.price?.billed(whole, searchSize: size) ?? whole
      self.init(charge: .zero, usage: usage, isReleased: false)
      self.charge = price(reading, estimate, prices, at, reserved)
      // The seconds of a sound that was held by its tokens are what these come to, about.
      if endpoint == .metered(.transcriptions), estimate.units.isEmpty,
        case .atMost = estimate.bound
      {
        self.charge = min(self.charge, reserved)
      }
      return
    }
    switch (charge, endpoint) {
    case (.nothing, _), (.reportedElseNothing, _):
      self.init(charge: .zero, usage: .unknown, isReleased: true)
    case (.reportedElseEstimate, .free), (.reportedElseEstimate, .stored), (.received, .free),
      (.received, .stored):
      // Known to cost nothing, but not because the provider said so: nobody reported a usage.
      self.init(charge: .zero, usage: .unknown, isReleased: true)
    case (.reportedElseEstimate, .unmetered), (.received, .unmetered):
      self.init(charge: .zero, usage: .unknown, isReleased: false)
    case (.reportedElseEstimate, .metered)
    where isWhole && Self.isExact(reading, estimate, endpoint):
      var usage = Usage(source: .reported)
      for unit in estimate.units { usage[unit.bucket] = unit.count }
      self.init(charge: .zero, usage: usage, isReleased: false)
      self.charge = price(reading, estimate, prices, at, reserved)
    case (.reportedElseEstimate, .metered), (.received, .metered):
      self.init(estimateOf: reading, estimate: estimate, reserved: reserved)
    }
  }

  init(charge: Money, usage: Usage, isReleased: Bool) {
    self.charge = charge
    self.usage = usage
    self.isReleased = isReleased
  }

  /// Nobody said what the call used: it is charged what was held for it. Where nothing was held,
  /// the text that was seen bounds the output, a token a byte.
  private init(estimateOf reading: CallReading, estimate: CallEstimate, reserved: Money) {
    var usage = Usage(source: .estimated)
    usage.inputUncached = estimate.inputTokens
    usage.outputText = estimate.outputTokens ?? Int64(clamping: reading.outputTextBytes)
    for unit in estimate.units { usage[unit.bucket] = unit.count }
    if case .atMost = estimate.bound {
      self.init(charge: reserved, usage: usage, isReleased: false)
      return
    }
    let charge = estimate.price?.worstCase(
      inputTokens: usage.inputUncached, outputTokens: usage.outputText, units: estimate.units,
      serviceTier: estimate.serviceTier, region: estimate.region)
    self.init(charge: charge ?? .zero, usage: usage, isReleased: false)
  }

  /// Whether what was asked for is what a whole answer is billed by; fewer pictures may cost less.
  private static func isExact(
    _ reading: CallReading, _ estimate: CallEstimate, _ endpoint: Endpoint
  ) -> Bool {
    guard estimate.hasExactUnits, !reading.sawError else { return false }
    guard endpoint == .metered(.images) else { return true }
    return reading.isComplete && reading.pictures == estimate.choices
  }

  /// How the call went into the ledger.
  ///
  /// - Parameters:
  ///   - reading: what the answer told.
  ///   - firstByteMilliseconds: as in `CallOutcome`.
  func outcome(
    of reading: CallReading, status: UInt16, ending: CallEnding, durationMilliseconds: Int64,
    firstByteMilliseconds: Int64 = -1
  ) -> CallOutcome {
    CallOutcome(
      status: status, ending: ending, usage: usage,
      responseModel: Self.journaled(reading.responseModel),
      serviceTier: reading.served.map(Self.journaled), otherModels: reading.otherModels,
      durationMilliseconds: durationMilliseconds, firstByteMilliseconds: firstByteMilliseconds)
  }

  /// A name as the journal takes it: it comes from outside, and goes there with every call.
  static func journaled(_ name: String) -> String {
    name.utf8.count <= CallEstimate.modelBytesMax
      ? name : String(name.prefix(CallEstimate.modelBytesMax))
  }

  /// A usage with the pictures, seconds or characters that it does not tell of: they are what was
  /// asked for, where no token that comes out costs anything.
  private static func whole(_ usage: Usage, _ estimate: CallEstimate) -> Usage {
    guard let price = estimate.price, !price.chargesOutput else { return usage }
    var usage = usage
    for unit in estimate.units where usage[unit.bucket] == 0 { usage[unit.bucket] = unit.count }
    return usage
  }

  /// The provider's usage by `PriceBook.cost`; units that have no price cost what was held for the
  /// call: they may not be free.
  func price(
    _ reading: CallReading, _ estimate: CallEstimate, _ prices: PriceBook, _ at: Timestamp,
    _ reserved: Money
  ) -> Money {
    let cost = prices.cost(
      of: usage, otherModels: reading.otherModels, model: estimate.model, asked: estimate.price,
      responseModel: reading.responseModel, serviceTier: reading.served, at: at)
    return cost?.charge(held: reserved) ?? .zero
  }
}
