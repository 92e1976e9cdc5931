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
    var fee = half
    fee[.requests] = 11_000_000
    book.add(ModelPrice(effectiveFrom: start, base: fee), model: "fee")
    var picture = Rates()
    picture[.pixelsOut] = 3_000_000
    book.add(ModelPrice(effectiveFrom: start, base: picture), model: "hd/8-x-9/canvas")
    var speech = Rates()
    speech[.charactersIn] = 4_000_000
    book.add(ModelPrice(effectiveFrom: start, base: speech), model: "speech")
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

  /// What followed from the request counts as reported; see `Settlement`.
  @Test func picturesAndCharactersAreChargedAnew() {
    var picture = Self.call("canvas", input: 0, output: 0, charge: 7)
    picture.responseModel = "hd/8-x-9/canvas"
    picture.usage[.pixelsOut] = 72
    var speech = Self.call("speech", input: 0, output: 0, charge: 7)
    speech.usage[.charactersIn] = 5
    let plan = Self.plan(picture, speech)
    #expect(plan.charges.map(\.charge.nanodollars) == [216, 20] && plan.skipped.isEmpty)
  }

  /// Each answer was rounded up by itself; how many there were was counted, and so was their fee.
  @Test(arguments: [(0, true), (3, true), (4, false), (-4, false)])
  func roundingIsOfEachAnswer(distance: Int64, isRight: Bool) {
    var batch = Self.call(
      "fee", tier: "batch", input: 1_000_000, output: 2_000,
      charge: 50_500_000 + 250_000 + 3 * 11 + distance)
    batch.usage[.requests] = 2
    batch.otherModels = [ModelUsage(model: "fee", usage: Usage(source: .reported))]
    batch.otherModels[0].usage[.requests] = 1
    let plan = Self.plan(batch)
    #expect(plan.skipped.isEmpty)
    #expect(plan.unchanged == (isRight ? 1 : 0) && plan.charges.count == (isRight ? 0 : 1))
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
    // Also where it was charged anew before.
    var again = sound("sound", charge: 400, held: 500)
    again.firstCharge = Money(nanodollars: 500)
    #expect(Self.plan(again).charges.map(\.charge.nanodollars) == [500])
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
