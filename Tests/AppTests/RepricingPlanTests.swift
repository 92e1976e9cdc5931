// Which calls are charged anew, and at what.

import Metering
import Store
import TestSupport
import Testing

@testable import App

@Suite struct RepricingPlanTests {
  /// 100 nanodollars an input token, 250 an output token; half, and half of a nanodollar more, in a
  /// batch.
  private static let book: PriceBook = {
    var book = PriceBook()
    let start = Timestamp(milliseconds: 0)
    let rates = Rates(input: 100_000_000, output: 250_000_000)
    let half = Rates(input: 50_500_000, output: 125_000_000)
    book.add(
      ModelPrice(effectiveFrom: start, base: rates, serviceTiers: ["batch": half]), model: "flat")
    book.add(
      ModelPrice(
        effectiveFrom: start, base: rates, tiers: [.init(aboveInputTokens: 1_000, rates: rates)],
        serviceTiers: ["batch": half]), model: "tiered")
    var sound = rates
    sound[.audioInMilliseconds] = 2_000_000_000
    book.add(ModelPrice(effectiveFrom: start, base: sound), model: "sound")
    var seconds = Rates()
    seconds[.audioInMilliseconds] = 2_000_000_000
    book.add(ModelPrice(effectiveFrom: start, base: seconds), model: "seconds")
    return book
  }()

  private static func call(
    _ model: String, tier: String? = nil, input: Int64, output: Int64, charge: Int64
  ) -> CallRow {
    var call = ReconcileFixture.call(model, at: 0, input: input, output: output, charge: charge)
    call.serviceTier = tier
    call.hasKnownAccounts = true
    return call
  }

  private static func plan(_ calls: CallRow...) -> RepricingPlan {
    var plan = RepricingPlan(filter: .init(), books: ["openai": book])
    for call in calls { plan.add(call) }
    return plan
  }

  @Test func aBatchIsChargedAnewByItsSum() {
    var batch = Self.call("flat", tier: "batch", input: 1_000_000, output: 2_000, charge: 7)
    batch.otherModels = [
      ModelUsage(model: "tiered", usage: batch.usage.with(input: 1_000, output: 10))
    ]
    let plan = Self.plan(batch)
    let wanted: Int64 = 50_500_000 + 250_000 + 50_500 + 1_250
    #expect(plan.charges.map(\.charge.nanodollars) == [wanted] && plan.skipped.isEmpty)
  }

  /// Rounded up answer by answer it was a little dearer: up to one nanodollar for each.
  @Test(arguments: [(0, true), (2_000, true), (2_001, false), (-2_001, false)])
  func whatIsRoundingIsNoChange(distance: Int64, isRight: Bool) {
    let sum: Int64 = 50_500_000 + 250_000
    let plan = Self.plan(
      Self.call("flat", tier: "batch", input: 1_000_000, output: 2_000, charge: sum + distance))
    #expect(plan.unchanged == (isRight ? 1 : 0) && plan.charges.count == (isRight ? 0 : 1))
    // Of one call nothing is rounding.
    let one = Self.plan(Self.call("flat", input: 1_000_000, output: 2_000, charge: 100_500_001))
    #expect(one.charges.map(\.charge.nanodollars) == [100_500_000])
  }

  @Test(arguments: [("tiered", "batch"), ("flat", ModelPrice.mixedBatchTier)])
  func aBatchWhosePriceDependsOnEachAnswerIsLeftAsItIs(model: String, tier: String) {
    let plan = Self.plan(Self.call(model, tier: tier, input: 1_001, output: 1, charge: 7))
    #expect(plan.skipped == [.batch: 1] && plan.charges.isEmpty)
  }

  @Test func aSoundThatWasHeldByItsTokensCostsThatAtTheMost() {
    func sound(_ model: String, charge: Int64, held: Int64) -> CallRow {
      var call = Self.call(model, input: 0, output: 0, charge: charge)
      call.usage[.audioInMilliseconds] = 1_000
      call.estimate = Money(nanodollars: held)
      return call
    }
    // A second is 2,000,000 nanodollars.
    let capped = Self.plan(sound("sound", charge: 500, held: 500))
    #expect(capped.unchanged == 1 && capped.charges.isEmpty)
    let cheaper = Self.plan(sound("sound", charge: 3_000_000, held: 3_000_000))
    #expect(cheaper.charges.map(\.charge.nanodollars) == [2_000_000])
    // One that was held by its length is charged by it.
    let held = Self.plan(sound("seconds", charge: 500, held: 500))
    #expect(held.charges.map(\.charge.nanodollars) == [2_000_000])
  }
}

extension Usage {
  fileprivate func with(input: Int64, output: Int64) -> Usage {
    var usage = self
    (usage.inputUncached, usage.outputText) = (input, output)
    return usage
  }
}
