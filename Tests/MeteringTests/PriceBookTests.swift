// Which price a model's name finds: exact names, aliases, snapshots, fine-tunes, several books.

import Metering
import Testing

@Suite struct PriceBookTests {
  private static let start = Timestamp(milliseconds: 1_000)

  /// A price that is told by its input rate.
  private static func price(_ rate: Int64, from: Timestamp = start) -> ModelPrice {
    ModelPrice(effectiveFrom: from, base: Rates(input: rate, output: rate))
  }

  private static func book(_ rates: [String: Int64], file: String = "") -> PriceBook {
    var book = PriceBook(file: file)
    for (model, rate) in rates { book.add(price(rate), model: model) }
    return book
  }

  private static func rate(_ book: PriceBook, _ model: String) -> Int64? {
    book.price(model: model, at: start)?.base[.inputUncached]
  }

  @Test(arguments: [
    ("gpt-4o", 1), ("gpt-4o-2024-08-06", 1), ("gpt-4o-2024-05-13", 2), ("gpt-4o-latest", 1),
    ("gpt-4-0613", 3), ("claude-x-20250929", 4), ("claude-x@20250929", 4), ("claude-x@default", 4),
    ("claude-x@latest", 4), ("gemini-y-001", 5), ("gemini-y-preview-09-2025", 6),
    ("mistral-z-2407", 7), ("anthropic.claude-w-20250929-v1:0", 8), ("anthropic.claude-w-v2:0", 8),
    ("ft:gpt-4o-2024-08-06:acme::abc123", 9), ("ft:gpt-4o-2024-11-20:acme:name:abc", 10),
  ])
  func snapshotsAndFineTunesAreFound(model: String, rate: Int64) {
    let book = Self.book([
      "gpt-4o": 1, "gpt-4o-2024-05-13": 2, "gpt-4": 3, "claude-x": 4, "gemini-y": 5,
      "gemini-y-preview": 6, "mistral-z": 7, "anthropic.claude-w": 8, "ft:gpt-4o-2024-08-06": 9,
      "ft:gpt-4o": 10,
    ])
    #expect(Self.rate(book, model) == rate)
  }

  /// A name that only looks like a snapshot must not take another model's price.
  @Test(arguments: [
    "gpt-4o-mini", "gpt-4o-audio-preview", "gpt-4o-4096", "gpt-4o-2024-13", "gpt-4o-123",
    "gpt-4o-99999999", "gpt-4o2024-08-06", "gpt-4o-", "-2024-08-06", "gpt-4o:5x",
    // Cheaper than any fine-tune of it: not assumed.
    "ft:gpt-4o:acme::abc", "ft:", "ft:gpt-4o", "", "latest", "-latest",
  ])
  func otherNamesAreUnpriced(model: String) {
    #expect(Self.rate(Self.book(["gpt-4o": 1]), model) == nil)
  }

  @Test func aSnapshotsOwnPriceBeginsWhereItsAliasEnds() {
    var book = Self.book(["m": 1])
    book.alias("m-x", of: "m")
    book.add(Self.price(2, from: Self.start.adding(milliseconds: 10)), model: "m-x")
    #expect(Self.rate(book, "m-x") == 1)
    let later = Self.start.adding(milliseconds: 10)
    #expect(book.price(model: "m-x", at: later)?.base[.inputUncached] == 2)
    #expect(book.names == ["m", "m-x"])
  }

  /// What a purse of a model is known by.
  @Test func allNamesOfAModelAreOfOneFamily() {
    var book = Self.book([
      "gpt-4o": 1, "gpt-4o-2024-05-13": 2, "claude-x-4-20250514": 3,
      "anthropic.claude-x-4-20250514-v1:0": 3, "us.anthropic.claude-x-4-20250514-v1:0": 4,
      "eu.anthropic.claude-y-5": 4, "ft:gpt-4o-2024-08-06": 5, "o3": 6,
    ])
    book.alias("claude-x-4-latest", of: "claude-x-4-20250514")
    book.alias("house-model", of: "gpt-4o")
    let all = PriceBook(first: [Self.book(["gpt-4o": 7]), book])
    for (family, names) in [
      ("gpt-4o", ["gpt-4o", "gpt-4o-2024-05-13", "gpt-4o-2024-08-06", "house-model"]),
      ("claude-x-4", ["claude-x-4-20250514", "claude-x-4-latest", "claude-x-4"]),
      (
        "anthropic.claude-x-4",
        [
          "anthropic.claude-x-4-20250514-v1:0", "us.anthropic.claude-x-4-20250514-v1:0",
          "us.anthropic.claude-x-4", "apac.anthropic.claude-x-4",
        ]
      ),
      ("anthropic.claude-y-5", ["eu.anthropic.claude-y-5", "us-gov.anthropic.claude-y-5"]),
      ("ft:gpt-4o", ["ft:gpt-4o-2024-08-06:acme::1", "ft:gpt-4o-2024-08-06:acme::2"]),
      ("gpt-4.1", ["gpt-4.1", "gpt-4.1-2025-04-14"]),
    ] {
      for name in names { #expect(all.family(of: name, at: Self.start) == family, "\(name)") }
    }
  }

  @Test func theFirstBookThatKnowsAModelPricesAllOfIt() {
    let negotiated = Self.book(["gpt-4o": 1], file: "thresholds/prices/negotiated.yaml")
    let list = Self.book(["gpt-4o": 7, "gpt-4o-2024-08-06": 8, "gpt-5": 9])
    let book = PriceBook(first: [negotiated, list])
    #expect(Self.rate(book, "gpt-4o") == 1)
    // The provider answers with the snapshot's name: the negotiated price must still hold.
    #expect(Self.rate(book, "gpt-4o-2024-08-06") == 1)
    #expect(Self.rate(book, "gpt-5") == 9)
    #expect(book.file == "thresholds/prices/negotiated.yaml")
    #expect(book.models == ["gpt-4o", "gpt-4o-2024-08-06", "gpt-5"])
    #expect(book.names == book.models)
  }

  @Test func aNameLeadsToItsModelInTheFirstBookThatHasIt() {
    var list = Self.book(["m": 1, "n": 2])
    list.alias("short", of: "m")
    var negotiated = Self.book(["x": 3])
    negotiated.alias("own", of: "x")
    // What has a price of its own is no other's alias any more.
    list.alias("n", of: "m")
    let book = PriceBook(first: [negotiated, list])
    for (name, model) in [
      ("short", "m"), ("own", "x"), ("m", "m"), ("n", "n"), ("unknown", "unknown"),
    ] {
      #expect(book.model(of: name) == model)
    }
  }

  @Test(arguments: [
    ("gpt-4o-2024-08-06", "gpt-4o"), ("gpt-4o", "gpt-4o"), ("gpt-4o-mini", "gpt-4o-mini"),
    ("anthropic.claude-w-20250929-v1:0", "anthropic.claude-w"), ("m-001-latest", "m"),
  ])
  func aFamilyIsANameWithoutAllSnapshots(_ name: String, _ family: String) {
    #expect(ModelName.family(name) == family)
  }

  @Test func beforeANegotiatedPriceBeginsTheListHolds() {
    var negotiated = PriceBook()
    negotiated.add(Self.price(1, from: Self.start.adding(milliseconds: 1)), model: "m")
    let book = PriceBook(first: [negotiated, Self.book(["m": 2])])
    #expect(Self.rate(book, "m") == 2)
  }

  @Test func aPartOfABookIsOneRegionsPrices() {
    var book = Self.book(["gpt-4o": 1, "us/gpt-4o": 2, "usual/x": 3, "us/deep/x": 4])
    book.alias("us/other", of: "us/gpt-4o")
    book.alias("us/plain", of: "gpt-4o")
    let part = book.part("us")
    #expect(part.models == ["deep/x", "gpt-4o", "plain"])
    #expect(Self.rate(part, "gpt-4o") == 2)
    #expect(Self.rate(part, "other") == 2)
    #expect(Self.rate(part, "plain") == 1)
  }

  @Test func anEmptyBookPricesNothing() {
    let book = PriceBook(first: [], file: "thresholds/prices/lab.yaml")
    #expect(Self.rate(book, "m") == nil)
    #expect(book.file == "thresholds/prices/lab.yaml")
    #expect(book.models.isEmpty)
  }

  @Test func theRefusalNamesTheFile() {
    let denial = Denial.modelUnpriced(model: "m", file: "thresholds/prices/openai.yaml")
    #expect(
      denial.message
        == "Model 'm' has no price, so a budgeted app may not call it. Add it to "
        + "thresholds/prices/openai.yaml: \"m\": { from: YYYY-MM-DD, inputPerMillion: \"0.00\", "
        + "outputPerMillion: \"0.00\" }")
    #expect(Denial.modelUnpriced(model: "m").message.contains("Add it to thresholds/prices/: "))
  }

  @Test func aPriceOfUnitsAloneSaysSo() {
    var rates = Rates()
    rates[.audioInMilliseconds] = 5
    #expect(!ModelPrice(effectiveFrom: Self.start, base: rates).pricesTokens)
    #expect(Self.price(1).pricesTokens)
  }
}
