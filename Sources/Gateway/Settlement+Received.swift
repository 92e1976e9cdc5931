// What a stream cost that the gateway itself ended in mid-way.

import Metering
import Providers

extension Settlement {
  /// So many tokens may be on their way when a stream is ended: what a fast model makes in a second
  /// or two, until the provider sees that nobody listens.
  static let inFlightTokens: Int64 = 256

  /// The input, what came of the output (as reported so far, else a token a byte of its text), and
  /// an allowance for what was under way: never more than was held, but where more is reported.
  /// Thinking that a provider hides until its last event is not in it.
  init(
    received reading: CallReading, estimate: CallEstimate, reserved: Money, prices: PriceBook,
    at: Timestamp
  ) {
    var least = Money.zero
    if var usage = reading.usage {
      usage.source = .estimated
      self.init(charge: .zero, usage: usage, isReleased: false)
      least = price(reading, estimate, prices, at, reserved)
      self.usage.outputText = usage.outputText.addingClamped(Self.inFlightTokens)
      charge = price(reading, estimate, prices, at, reserved)
    } else {
      var usage = Usage(source: .estimated)
      usage.inputUncached = estimate.inputTokens
      for unit in estimate.units { usage[unit.bucket] = unit.count }
      usage.outputText = reading.outputTextBytes.addingClamped(Self.inFlightTokens)
      let worst = estimate.price?.worstCase(
        inputTokens: usage.inputUncached, outputTokens: usage.outputText, units: estimate.units,
        serviceTier: estimate.serviceTier, region: estimate.region)
      self.init(charge: worst ?? reserved, usage: usage, isReleased: false)
    }
    if case .atMost = estimate.bound { charge = max(min(charge, reserved), least) }
  }
}
