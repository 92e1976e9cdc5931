// Last week's calls at other prices: by the rule that charged them.

import Metering
import Store
import Testing

@testable import App

@Suite struct PriceBackcastTests {
  private static let start = Timestamp(milliseconds: 0)

  private static func book(_ rates: [String: Int64]) -> [String: PriceBook] {
    var book = PriceBook()
    for (model, rate) in rates {
      book.add(
        ModelPrice(effectiveFrom: start, base: Rates(input: rate, output: rate)), model: model)
    }
    return ["up": book]
  }

  private static func call(
    _ model: String, answeredBy: String = "", charge: Int64, input: Int64 = 1_000_000,
    source: UsageSource = .reported, upstream: String = "up"
  ) -> CallRow {
    var call = CallRow(
      call: CallID(1), state: .settled, app: "a", key: 1, upstream: upstream, model: model,
      at: start)
    call.responseModel = answeredBy
    call.charge = Money(nanodollars: charge)
    call.usage = Usage(source: source)
    call.usage.inputUncached = input
    return call
  }

  @Test func onlyCallsWhosePriceChangesArePricedAgain() {
    var backcast = PriceBackcast(
      old: Self.book(["m": 10, "same": 7]), new: Self.book(["m": 20, "same": 7, "fresh": 5]),
      at: Self.start)
    backcast.add(Self.call("m", charge: 10))
    // The provider ran another model than the name says; its price counts.
    backcast.add(Self.call("auto", answeredBy: "m-2026-01-31", charge: 30, input: 3_000_000))
    backcast.add(Self.call("m", charge: 99, source: .estimated))
    backcast.add(Self.call("m", answeredBy: "same", charge: 7))
    backcast.add(Self.call("fresh", charge: 0))
    backcast.add(Self.call("unpriced", charge: 1))
    backcast.add(Self.call("m", charge: 4, upstream: "gone"))
    func row(_ calls: Int64, _ charged: Int64, _ priced: Int64) -> PricedCalls.Row {
      .init(
        calls: calls, charged: Money(nanodollars: charged), priced: Money(nanodollars: priced))
    }
    #expect(
      backcast.changed == [
        .init(upstream: "up", model: "m"): row(2, 109, 119),
        .init(upstream: "up", model: "m-2026-01-31"): row(1, 30, 60),
        .init(upstream: "up", model: "fresh"): row(1, 0, 5),
      ])
    #expect(backcast.others == row(3, 12, 12))
    #expect(backcast.total == row(4, 139, 184))
  }

  /// A batch's sum is not one call's: where a price depends on the size of each, it stays.
  @Test func aBatchIsPricedByItsSumWhereThatTells() {
    func books(_ rate: Int64, tier: Int64) -> [String: PriceBook] {
      var book = PriceBook()
      let rates = Rates(input: rate, output: rate)
      book.add(
        ModelPrice(
          effectiveFrom: Self.start, base: rates,
          tiers: [.init(aboveInputTokens: tier, rates: Rates(input: 50 * rate, output: 1))]),
        model: "m")
      return ["up": book]
    }
    var batch = Self.call("m", charge: 10)
    batch.serviceTier = "batch"
    for (tier, priced) in [(Int64(1_000), Int64(10)), (2_000_000, 20)] {
      var backcast = PriceBackcast(
        old: books(10, tier: tier), new: books(20, tier: tier), at: Self.start)
      backcast.add(batch)
      #expect(backcast.total.calls == 1 && backcast.total.priced.nanodollars == priced)
    }
  }

  @Test func aPriceThatDiffersInItsRegionsOrSearchesIsAnother() {
    func books(_ regions: [String: Int64], _ own: OwnSearches?) -> [String: PriceBook] {
      var book = PriceBook()
      book.add(
        ModelPrice(
          effectiveFrom: Self.start, base: Rates(input: 10, output: 10), ownSearches: own,
          regions: regions), model: "m")
      return ["up": book]
    }
    var call = Self.call("m", charge: 10)
    call.serviceTier = "@us"
    var backcast = PriceBackcast(
      old: books([:], nil), new: books(["us": 1_100], nil), at: Self.start)
    backcast.add(call)
    #expect(backcast.total.priced.nanodollars == 11)
    backcast = PriceBackcast(old: books([:], nil), new: books([:], .perCall), at: Self.start)
    backcast.add(call)
    #expect(backcast.total.calls == 1 && backcast.others.calls == 0)
  }

  @Test func aSumThatLeavesTheRangeIsHeldAtItsEnd() {
    var backcast = PriceBackcast(
      old: Self.book(["m": 1]), new: Self.book(["m": .max]), at: Self.start)
    backcast.add(Self.call("m", charge: 5, input: .max))
    #expect(backcast.total.priced == Money(nanodollars: .max))
  }
}
