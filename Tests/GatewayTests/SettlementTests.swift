// The table of Settlement.swift, row by row.

import Metering
import Providers
import Testing

@testable import Gateway

@Suite struct SettlementTests {
  static let reserved = Money(nanodollars: 90_000)

  static func settle(
    _ charge: Call.Charge, usage: Usage?, bound: CostBound = .atMost(reserved),
    endpoint: Endpoint = .metered(.chatCompletions), responseModel: String = "gpt-test",
    reserved: Money = reserved
  ) -> Settlement {
    var reading = CallReading()
    reading.usage = usage
    reading.responseModel = responseModel
    reading.outputTextBytes = 30
    var estimate = CallEstimate()
    estimate.model = "gpt-test"
    estimate.bound = bound
    estimate.inputTokens = 40
    estimate.price = TestPrice.book.price(model: "gpt-test", at: GatewayFixture.now)
    return Settlement(
      charge, reading: reading, estimate: estimate, reserved: reserved, endpoint: endpoint,
      prices: TestPrice.book, at: GatewayFixture.now)
  }

  static var reported: Usage {
    var usage = Usage(source: .reported)
    usage.inputUncached = 10
    usage.outputText = 5
    return usage
  }

  @Test(arguments: [Call.Charge.reportedElseEstimate, .reportedElseNothing])
  func reportedUsageIsCharged(charge: Call.Charge) {
    let settlement = Self.settle(charge, usage: Self.reported)
    #expect(settlement.charge == TestPrice.cost(input: 10, output: 5))
    #expect(!settlement.isReleased)
  }

  /// The text's 30 bytes and the allowance, on 40 tokens of input.
  @Test func whatCameIsChargedWithAnAllowanceAndNeverMoreThanHeld() {
    let came = Self.settle(.received, usage: nil, reserved: Money(nanodollars: 900_000))
    #expect(came.charge == TestPrice.cost(input: 40, output: 30 + 256))
    #expect(came.usage.source == .estimated && !came.isReleased)
    #expect(Self.settle(.received, usage: nil).charge == Self.reserved)
    // Without a bound nothing is held, and nothing holds the charge.
    let free = Self.settle(.received, usage: nil, bound: .none(.tokensUnbounded), reserved: .zero)
    #expect(free.charge == came.charge)
  }

  /// As reported so far, even where that is more than was held: a debt.
  @Test func whatIsReportedSoFarIsChargedWithAnAllowance() {
    let large = Self.settle(.received, usage: Self.reported, reserved: Money(nanodollars: 900_000))
    #expect(large.charge == TestPrice.cost(input: 10, output: 5 + 256))
    #expect(large.usage.source == .estimated)
    let debt = Self.settle(.received, usage: Self.reported, reserved: Money(nanodollars: 7))
    #expect(debt.charge == TestPrice.cost(input: 10, output: 5))
  }

  @Test func anEstimateKeepsItsUnits() {
    var estimate = CallEstimate()
    estimate.bound = .atMost(Self.reserved)
    estimate.units = [UsageCount(.charactersIn, 120)]
    let settlement = Settlement(
      .reportedElseEstimate, reading: CallReading(), estimate: estimate, reserved: Self.reserved,
      endpoint: .metered(.chatCompletions), prices: TestPrice.book, at: GatewayFixture.now)
    #expect(settlement.usage[.charactersIn] == 120)
    #expect(settlement.charge == Self.reserved && settlement.usage.source == .estimated)
  }

  /// A model that is billed by the second, whose provider reports tokens: they have no price, and
  /// the call must not be free.
  @Test func tokensOfAModelBilledByOtherUnitsAreChargedWhatWasHeld() {
    var rates = Rates()
    rates[.audioInMilliseconds] = 1_000_000_000
    var prices = PriceBook()
    prices.add(
      ModelPrice(effectiveFrom: Timestamp(milliseconds: 0), base: rates), model: "gpt-test")
    var reading = CallReading()
    reading.usage = Self.reported
    var estimate = CallEstimate()
    estimate.model = "gpt-test"
    estimate.price = prices.price(model: "gpt-test", at: GatewayFixture.now)
    let settlement = Settlement(
      .reportedElseEstimate, reading: reading, estimate: estimate, reserved: Self.reserved,
      endpoint: .metered(.chatCompletions), prices: prices, at: GatewayFixture.now)
    #expect(settlement.charge == Self.reserved)
  }

  /// The size that the answer says counts; what was asked for where it says none.
  @Test(
    arguments: [
      (.low, 5_000_000), (nil, 12_000_000),
    ] as [(SearchSize?, Int64)])
  func aSearchingModelIsChargedOneFeeOfTheSizeSaid(size: SearchSize?, charge: Int64) throws {
    var rates = Rates(input: 0, output: 0)
    rates[.webSearchesLow] = 5_000_000_000_000
    rates[.webSearches] = 8_000_000_000_000
    rates[.webSearchesHigh] = 12_000_000_000_000
    var prices = PriceBook()
    prices.add(
      ModelPrice(
        effectiveFrom: Timestamp(milliseconds: 0), base: rates, ownSearches: .perCall),
      model: "gpt-test")
    var reading = CallReading()
    reading.usage = Self.reported
    reading.usage?[.webSearches] = 9
    reading.searchSize = size
    var estimate = CallEstimate()
    estimate.model = "gpt-test"
    estimate.searchSize = .high
    estimate.price = prices.price(model: "gpt-test", at: GatewayFixture.now)
    let settlement = Settlement(
      .reportedElseEstimate, reading: reading, estimate: estimate, reserved: Self.reserved,
      endpoint: .metered(.chatCompletions), prices: prices, at: GatewayFixture.now)
    #expect(settlement.charge.nanodollars == charge)
    #expect(settlement.usage.others.map(\.count) == [1])
  }

  private static func settle(
    _ operation: Providers.Operation, rates: [UsageBucket: Int64], units: [UsageCount],
    usage: Usage
  ) -> Settlement {
    var base = Rates()
    for (bucket, rate) in rates { base[bucket] = rate }
    var prices = PriceBook()
    prices.add(ModelPrice(effectiveFrom: Timestamp(milliseconds: 0), base: base), model: "m")
    var reading = CallReading()
    reading.usage = usage
    var estimate = CallEstimate()
    estimate.model = "m"
    estimate.bound = .atMost(reserved)
    estimate.units = units
    estimate.price = prices.price(model: "m", at: GatewayFixture.now)
    return Settlement(
      .reportedElseEstimate, reading: reading, estimate: estimate, reserved: reserved,
      endpoint: .metered(operation), prices: prices, at: GatewayFixture.now)
  }

  /// Tokens that cost nothing are reported; the pictures cost something.
  @Test func whatTheUsageDoesNotTellOfIsChargedAsAskedFor() {
    let pictures = [UsageCount(.imagesOut, 2)]
    let free = Self.settle(
      .images, rates: [.inputUncached: 0, .outputText: 0, .imagesOut: 30_000_000_000],
      units: pictures, usage: Self.reported)
    #expect(free.charge.nanodollars == 60_000 && free.usage[.imagesOut] == 2)
    // Where the tokens that come out are billed, they are what the pictures cost.
    let billed = Self.settle(
      .images,
      rates: [.inputUncached: 0, .outputText: 1_000_000_000, .imagesOut: 30_000_000_000],
      units: pictures, usage: Self.reported)
    #expect(billed.charge.nanodollars == 5_000 && billed.usage[.imagesOut] == 0)
  }

  @Test func secondsOfASoundThatWasHeldByItsTokensCostNoMore() {
    var usage = Usage(source: .reported)
    usage[.audioInMilliseconds] = 1_000_000
    let rates: [UsageBucket: Int64] = [
      .inputUncached: 1_000_000, .outputText: 1_000_000, .audioInMilliseconds: 1_000_000_000,
    ]
    let charge = Self.settle(.transcriptions, rates: rates, units: [], usage: usage).charge
    #expect(charge == Self.reserved)
    usage[.audioInMilliseconds] = 20
    let short = Self.settle(.transcriptions, rates: rates, units: [], usage: usage).charge
    #expect(short.nanodollars == 20_000)
  }

  @Test func zeroUsageIsReportedNotEstimated() {
    let settlement = Self.settle(.reportedElseEstimate, usage: Usage(source: .reported))
    #expect(settlement.charge == .zero)
    #expect(settlement.usage.source == .reported)
    #expect(!settlement.isReleased)
  }

  @Test func missingUsageIsChargedWhatWasHeld() {
    let settlement = Self.settle(.reportedElseEstimate, usage: nil)
    #expect(settlement.charge == Self.reserved)
    #expect(settlement.usage.source == .estimated)
    #expect(settlement.usage.inputUncached == 40)
  }

  @Test func withoutABoundTheTextSeenBoundsTheOutput() {
    let settlement = Self.settle(
      .reportedElseEstimate, usage: nil, bound: .none(.outputUnbounded(field: "x")),
      reserved: .zero)
    #expect(settlement.charge == TestPrice.cost(input: 40, output: 30))
    #expect(settlement.usage.source == .estimated)
  }

  @Test func errorsAndUnreachableUpstreamsAreReleased() {
    #expect(Self.settle(.reportedElseNothing, usage: nil).isReleased)
    #expect(Self.settle(.nothing, usage: Self.reported).isReleased)
  }

  @Test func freePathsCostNothingAndUnmeteredOnesAreUnknown() {
    let free = Self.settle(.reportedElseEstimate, usage: nil, endpoint: .free)
    #expect(free.isReleased && free.charge == .zero)
    #expect(free.usage.source == .unknown, "nobody reported a usage")
    let told = Self.settle(.reportedElseEstimate, usage: Self.reported, endpoint: .free)
    #expect(!told.isReleased)
    #expect(told.charge == TestPrice.cost(input: 10, output: 5))
    let unmetered = Self.settle(.reportedElseEstimate, usage: nil, endpoint: .unmetered)
    #expect(!unmetered.isReleased)
    #expect(unmetered.usage.source == .unknown)
  }

  @Test func anUnpricedResponseModelFallsBackToTheRequests() {
    let settlement = Self.settle(
      .reportedElseEstimate, usage: Self.reported, responseModel: "gpt-test-2026")
    #expect(settlement.charge == TestPrice.cost(input: 10, output: 5))
  }

  @Test func aSumBeyondMoneyIsNotFree() {
    var usage = Usage(source: .reported)
    usage.outputText = .max
    #expect(
      Self.settle(.reportedElseEstimate, usage: usage).charge == Money(nanodollars: .max))
  }
}
