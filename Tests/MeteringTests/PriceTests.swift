// Prices: against a second, slower arithmetic that cannot overflow and rounds in plain sight.

import Metering
import TestSupport
import Testing

/// A natural number as decimal digits, least first. Schoolbook arithmetic: slow and hard to get
/// wrong.
private struct Digits: Comparable, CustomStringConvertible {
  var digits: [Int]

  init(_ number: UInt64) { digits = String(number).reversed().map { $0.wholeNumberValue ?? 0 } }

  var description: String { String(digits.reversed().map(String.init).joined()) }

  static func + (left: Digits, right: Digits) -> Digits {
    var sum = Digits(0)
    sum.digits = []
    var carry = 0
    for place in 0..<max(left.digits.count, right.digits.count) {
      let digit =
        (place < left.digits.count ? left.digits[place] : 0)
        + (place < right.digits.count ? right.digits[place] : 0) + carry
      sum.digits.append(digit % 10)
      carry = digit / 10
    }
    if carry > 0 { sum.digits.append(carry) }
    return sum
  }

  static func * (left: Digits, right: Digits) -> Digits {
    var places = Array(repeating: 0, count: left.digits.count + right.digits.count)
    for (i, one) in left.digits.enumerated() {
      for (j, other) in right.digits.enumerated() { places[i + j] += one * other }
    }
    for place in places.indices.dropLast() {
      places[place + 1] += places[place] / 10
      places[place] %= 10
    }
    var product = Digits(0)
    product.digits = places
    while product.digits.count > 1, product.digits.last == 0 { product.digits.removeLast() }
    return product
  }

  /// Divided by a million, rounded up.
  var millionthsRoundedUp: Digits {
    var quotient = Digits(0)
    quotient.digits = digits.count > 6 ? Array(digits.dropFirst(6)) : [0]
    return digits.prefix(6).contains { $0 != 0 } ? quotient + Digits(1) : quotient
  }

  static func < (left: Digits, right: Digits) -> Bool {
    left.digits.count != right.digits.count
      ? left.digits.count < right.digits.count
      : left.digits.reversed().lexicographicallyPrecedes(right.digits.reversed())
  }
}

@Suite struct PriceTests {
  private static let fields = UsageBucket.allCases

  private static func price(_ rates: Rates) -> ModelPrice {
    ModelPrice(effectiveFrom: Timestamp(milliseconds: 0), base: rates)
  }

  /// Counts and rates of all buckets, up to the largest there are.
  @Test func costIsTheSumRoundedUpOnce() throws {
    try checkProperty("cost", over: 0...Int64.max, runs: 400, countMax: 70) { numbers in
      var usage = Usage(source: .reported)
      var rates = Rates(input: 0, output: 0)
      var expected = Digits(0)
      for (index, field) in Self.fields.enumerated() {
        // A few digits fewer from time to time, so that sums in range are common too.
        let scale: Int64 = numbers.count % 2 == 0 ? 1 : 1_000_000_000_000
        let count = (index < numbers.count ? numbers[index] : 0) / scale
        let rate = (index + 35 < numbers.count ? numbers[index + 35] : 3) / scale
        usage[field] = count
        rates[field] = rate
        // A call is a request, whether its usage says so or not.
        let billed = field == .requests ? max(count, 1) : count
        expected = expected + Digits(UInt64(billed)) * Digits(UInt64(rate))
      }
      let cost = Self.price(rates).cost(of: usage)
      let rounded = expected.millionthsRoundedUp
      if rounded > Digits(UInt64(Int64.max)) {
        try require(cost == nil, "\(String(describing: cost)) for \(rounded)")
      } else {
        try require(
          cost.map { "\($0.nanodollars)" } == "\(rounded)",
          "\(String(describing: cost)) for \(rounded)")
      }
    }
  }

  @Test func aCallOfOneTokenCostsAtLeastANanodollar() {
    var usage = Usage(source: .reported)
    usage.inputUncached = 1
    #expect(Self.price(Rates(input: 1, output: 0)).cost(of: usage)?.nanodollars == 1)
    #expect(Self.price(Rates(input: 0, output: 0)).cost(of: usage) == .zero)
    // Rounded once, not per bucket: 0.6 + 0.6 nanodollars are 2, not 1 + 1 = 2 by luck; three are
    // 2.
    usage.outputText = 1
    usage.outputReasoning = 1
    let price = Self.price(Rates(input: 600_000, output: 600_000))
    #expect(price.cost(of: usage)?.nanodollars == 2)
  }

  /// Held and charged alike: the bound of a call is never below the call's own fee.
  @Test func theFeeOfARequestIsHeldAndCharged() {
    var rates = Rates(input: 1_000_000, output: 2_000_000)
    rates[.requests] = 5_000_000_000_000
    let price = Self.price(rates)
    var usage = Usage(source: .reported)
    usage.inputUncached = 3
    #expect(price.cost(of: usage)?.nanodollars == 5_000_003)
    #expect(price.worstCase(inputTokens: 3, outputTokens: 0)?.nanodollars == 5_000_003)
    #expect(
      price.worstCase(inputTokens: 3, outputTokens: 0, servedAs: "batch")?.nanodollars == 5_000_003)
  }

  /// One fee a call whatever it counts, at the size that is known; held at the dearest where none
  /// is asked for.
  @Test func ownSearchesAreOneFeeACall() {
    var rates = Rates(input: 0, output: 0)
    (rates[.webSearchesLow], rates[.webSearches], rates[.webSearchesHigh]) = (5, 8, 12)
    let price = ModelPrice(
      effectiveFrom: Timestamp(milliseconds: 0), base: rates, ownSearches: .perCall)
    #expect(price.ownSearchFee(asked: nil) == UsageCount(.webSearchesHigh, 1))
    #expect(price.ownSearchFee(asked: .low) == UsageCount(.webSearchesLow, 1))
    var usage = Usage(source: .reported)
    usage[.webSearches] = 7
    #expect(price.billed(usage, searchSize: .low).others == [UsageCount(.webSearchesLow, 1)])
    #expect(price.billed(usage, searchSize: nil).others == [UsageCount(.webSearches, 1)])
    #expect(Self.price(rates).billed(usage, searchSize: .low) == usage)
    #expect(Self.price(rates).ownSearchFee(asked: .low) == nil)
  }

  /// A region multiplies the rates of tokens, whatever the service tier, and nothing else.
  @Test(
    arguments: [
      (nil, 15), ("standard", 15), ("batch", 10), ("@us", 16), ("batch@us", 11),
      ("odd@us", 16), ("@eu", 15), ("batch@eu", 10),
    ] as [(String?, Int64)])
  func aRegionMultipliesTheRatesOfTokens(served: String?, cost: Int64) {
    var base = Rates(input: 1_000_000, output: 1_000_000)
    base[.webSearches] = 5_000_000
    var batch = Rates()
    batch[.inputUncached] = 500_000
    let price = ModelPrice(
      effectiveFrom: Timestamp(milliseconds: 0), base: base, serviceTiers: ["batch": batch],
      regions: ["us": 1_100])
    var usage = Usage(source: .reported)
    usage.inputUncached = 10
    usage[.webSearches] = 1
    #expect(price.cost(of: usage, serviceTier: served)?.nanodollars == cost)
    #expect(ModelPrice.served(as: nil, in: nil) == nil)
    #expect(ModelPrice.served(as: "batch", in: "us") == "batch@us")
    #expect(ModelPrice.served(as: nil, in: "us") == "@us")
  }

  /// No call is charged more than was held for it, whichever region served it.
  @Test func theBoundHoldsInEveryRegion() throws {
    try checkProperty("regions", over: 0...1_000_000, runs: 300, countMax: 6) { numbers in
      let number = { (index: Int) in index < numbers.count ? numbers[index] : 7 }
      let price = ModelPrice(
        effectiveFrom: Timestamp(milliseconds: 0),
        base: Rates(input: number(0), output: number(1)),
        regions: ["us": number(2) % 3_000 + 1, "eu": number(3) % 3_000 + 1])
      var usage = Usage(source: .reported)
      (usage.inputUncached, usage.outputText) = (number(4), number(5))
      for asked in [nil, "global", "us", "eu"] {
        let held = price.worstCase(
          inputTokens: number(4), outputTokens: number(5), serviceTier: "default", region: asked)
        let region = asked == "global" ? nil : asked
        for region in asked == nil ? [nil, "us", "eu"] : [region] {
          let cost = price.cost(
            of: usage, serviceTier: ModelPrice.served(as: "default", in: region))
          guard let held, let cost else { continue }
          try require(cost <= held, "\(cost) above \(held) in \(region ?? "any")")
        }
      }
    }
  }

  @Test func absurdCountsRefuseInsteadOfTrapping() {
    var usage = Usage(source: .reported)
    for field in Self.fields { usage[field] = .max }
    #expect(usage.inputTotal == .max)
    #expect(usage.outputTotal == .max)
    #expect(Self.price(Rates(input: .max, output: .max)).cost(of: usage) == nil)
    let price = Self.price(Rates(input: .max, output: .max))
    #expect(price.worstCase(inputTokens: .max, outputTokens: .max) == nil)
  }

  @Test func aPublishedPrice() {
    // gpt-4o-mini: $0.15 and $0.60 a million; 1,000 in, 500 out: 0.00015 + 0.0003 dollars.
    var usage = Usage(source: .reported)
    usage.inputUncached = 1_000
    usage.outputText = 500
    let price = Self.price(Rates(input: 150_000_000, output: 600_000_000))
    #expect(price.cost(of: usage)?.dollarsText == "0.00045")
  }

  /// Whole nanodollars a token.
  private static func rates(_ input: Int64, _ output: Int64) -> Rates {
    Rates(input: input * 1_000_000, output: output * 1_000_000)
  }

  private static let tiered: ModelPrice = {
    var long = rates(3, 7)
    long[.cacheWrite1h] = 13_000_000
    return ModelPrice(
      effectiveFrom: Timestamp(milliseconds: 0), base: rates(2, 10),
      tiers: [
        .init(aboveInputTokens: 1_000, rates: rates(4, 15)),
        .init(aboveInputTokens: 2_000, rates: rates(6, 20)),
      ],
      serviceTiers: ["flex": rates(1, 5), "priority": rates(5, 18), "ultra": rates(9, 30)],
      serviceContexts: [
        "flex": [.init(aboveInputTokens: 1_000, rates: long)],
        "ultra": [.init(aboveInputTokens: 1_000, rates: rates(40, 90))],
      ])
  }()

  @Test func tiersBeginAboveTheirSizeNotAtIt() {
    /// Nanodollars of an input token in a call of this many.
    func rate(_ input: Int64, _ tier: String? = nil) -> Int64? {
      var usage = Usage(source: .reported)
      usage.inputUncached = input
      return Self.tiered.cost(of: usage, serviceTier: tier).map { $0.nanodollars / input }
    }
    #expect(rate(1_000) == 2)
    #expect(rate(1_001) == 4)
    #expect(rate(2_000) == 4)
    #expect(rate(2_001) == 6)
    #expect(rate(1_000, "flex") == 1)
    #expect(rate(1_001, "flex") == 3)
    #expect(rate(5_000, "flex") == 3)
    #expect(rate(1_001, "ultra") == 40)
    // A service tier without context tiers of its own costs the dearer of the two on a long call.
    #expect(rate(1_000, "priority") == 5)
    #expect(rate(1_001, "priority") == 5)
    #expect(rate(2_001, "priority") == 6)
    // A tier that the book does not know is priced as plain.
    #expect(rate(1_001, "mystery") == 4)
  }

  @Test func aLongCallIsBilledAtItsTierWhole() {
    var usage = Usage(source: .reported)
    usage.inputUncached = 900
    usage.cacheRead = 100
    usage.outputText = 10
    #expect(Self.tiered.cost(of: usage) == Money(nanodollars: 2_100))  // 1,000 × 2 + 10 × 10
    // One cached token more, and the whole call is long.
    usage.cacheRead = 101
    #expect(Self.tiered.cost(of: usage) == Money(nanodollars: 4_154))  // 1,001 × 4 + 10 × 15
  }

  /// The reservation must bound the charge: that is what makes the cap hard.
  @Test func worstCaseBoundsEveryUsageWithinTheCounts() throws {
    try checkProperty("worst case", over: 0...3_000, runs: 2_000, countMax: 17) { counts in
      var usage = Usage(source: .reported)
      for (field, count) in zip(Self.fields.filter { $0.kind != .units }, counts) {
        usage[field] = count
      }
      for (asked, returned) in [
        (nil, nil), (nil, "priority"), (nil, "ultra"), ("flex", "flex"), ("priority", "priority"),
        ("auto", "priority"),
        ("auto", "flex"), ("auto", "ultra"), ("ultra", "ultra"), ("auto", nil), ("flex", nil),
        ("new", "priority"), ("default", "default"),
      ] {
        let bound = Self.tiered.worstCase(
          inputTokens: usage.inputTotal, outputTokens: usage.outputTotal, serviceTier: asked)
        let cost = Self.tiered.cost(of: usage, serviceTier: returned)
        try require(
          try #require(cost) <= #require(bound),
          "\(asked ?? "none") → \(returned ?? "none"): \(cost!) > \(bound!)")
      }
    }
  }

  @Test func theBookGivesThePriceOfTheMoment() {
    var book = PriceBook()
    func price(_ from: Int64, _ rate: Int64) -> ModelPrice {
      ModelPrice(
        effectiveFrom: Timestamp(milliseconds: from), base: Rates(input: rate, output: rate))
    }
    book.add(price(200, 2), model: "m")
    book.add(price(100, 1), model: "m")
    book.add(price(300, 3), model: "m")
    book.alias("m-2026", of: "m")
    book.alias("orphan", of: "nobody")
    func rate(_ model: String, _ at: Int64) -> Int64? {
      book.price(model: model, at: Timestamp(milliseconds: at))?.base[.inputUncached]
    }
    #expect(rate("m", 99) == nil)
    #expect(rate("m", 100) == 1)
    #expect(rate("m", 199) == 1)
    #expect(rate("m", 200) == 2)
    #expect(rate("m-2026", 9_999) == 3)
    #expect(rate("orphan", 9_999) == nil)
    #expect(rate("M", 9_999) == nil)
    #expect(book.models == ["m"])
    #expect(book.names == ["m", "m-2026"])
    book.add(price(200, 7), model: "m")
    #expect(rate("m", 250) == 7)
    // A model of that name goes before an alias.
    book.add(price(100, 9), model: "m-2026")
    #expect(rate("m-2026", 9_999) == 9)
  }

  @Test func whatIsCertainToBeABatchIsBoundedAtItsPrice() {
    let rates = { (input: Int64, output: Int64) in
      Rates(input: input * 1_000_000, output: output * 1_000_000)
    }
    func price(_ services: [String: Rates], _ contexts: [String: [ModelPrice.Tier]] = [:])
      -> ModelPrice
    {
      ModelPrice(
        effectiveFrom: Timestamp(milliseconds: 0), base: rates(10, 100),
        tiers: [.init(aboveInputTokens: 50, rates: rates(20, 200))], serviceTiers: services,
        serviceContexts: contexts)
    }
    func worst(_ price: ModelPrice, _ input: Int64) -> Int64? {
      price.worstCase(inputTokens: input, outputTokens: 1, servedAs: "batch")?.nanodollars
    }
    // A book without one: the list's price. Cheaper and dearer ones; long calls.
    #expect(worst(price([:]), 50) == 600 && worst(price([:]), 51) == 1_220)
    let half = price(["batch": rates(5, 50), "priority": rates(900, 900)])
    #expect(worst(half, 50) == 300)
    // Without a context tier of its own, the dearer of its rates and the base's.
    #expect(worst(half, 51) == 1_220)
    let own = price(
      ["batch": rates(5, 50)], ["batch": [.init(aboveInputTokens: 60, rates: rates(7, 40))]])
    #expect(worst(own, 60) == 350 && worst(own, 61) == 477)
    #expect(worst(price([:]), .max) == nil)
  }
}
