// Price tables: every field has one meaning, and what has none refuses the file.

import Foundation
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct PriceTableTests {
  private static let day = CivilDate(daysSinceEpoch: 20_454)

  /// A table of these lines; `PROVIDER MODEL FIELDS` where a line is no object.
  static func table(
    _ lines: [String], providers: Set<String> = [], ending: String = "\n"
  ) throws -> PriceTable {
    try withTemporaryDirectory { directory in
      let file = try directory.write(lines.joined(separator: "\n") + ending, to: "t.jsonl")
      return try PriceTable(path: file, from: day, providers: providers)
    }
  }

  static func row(
    _ model: String, provider: String = "openai", mode: String = "chat", _ fields: String
  ) -> String {
    "{\"model\": \"\(model)\", \"provider\": \"\(provider)\", \"mode\": \"\(mode)\""
      + (fields.isEmpty ? "" : ", ") + fields + "}"
  }

  private static func fault(_ lines: [String], ending: String = "\n") -> String {
    do { _ = try table(lines, ending: ending) } catch { return "\(error)" }
    return ""
  }

  @Test(arguments: [
    ("input_cost_per_token", UsageBucket.inputUncached, "", 0, 15),
    ("output_cost_per_token_batches", .outputText, "batch", 0, 15),
    ("cache_read_input_token_cost_above_200k_tokens", .cacheRead, "", 200_000, 15),
    // An hour is the cache's, 272k the context's.
    (
      "cache_creation_input_token_cost_above_12hr_above_272k_tokens_ultrafast", .cacheWrite12h,
      "ultrafast", 272_000, 15
    ),
    ("cache_creation_input_token_cost_above_1hr", .cacheWrite1h, "", 0, 15),
    ("cache_creation_input_token_cost_above_100k_tokens", .cacheWrite5m, "", 100_000, 15),
    ("input_cost_per_token_cache_hit", .cacheRead, "", 0, 15),
    ("input_cost_per_image_token_batches", .inputImage, "batch", 0, 15),
    ("file_search_cost_per_1k_calls", .fileSearches, "", 0, 12),
    ("input_cost_per_audio_per_second", .audioInMilliseconds, "", 0, 12),
    ("output_cost_per_second", .outputMilliseconds, "", 0, 12),
    ("input_cost_per_token_novel", .inputUncached, "novel", 0, 15),
  ])
  func aFieldHasOneMeaning(
    name: String, bucket: UsageBucket, tier: String, above: Int64, power: Int
  ) throws {
    let names: Set<String> = ["input_cost_per_token_novel", "output_cost_per_token_novel"]
    let field = try #require(PriceTableField(name: name, has: names.contains))
    #expect(field.bucket == bucket)
    #expect(field.place.serviceTier == tier)
    #expect(field.place.aboveInputTokens == above)
    #expect(field.power == power)
  }

  @Test(arguments: [
    "input_cost_per_tokens", "input_cost_per_token_above_1hr", "input_cost_per_token_cached",
    "cache_creation_input_token_cost_above_2hr", "input_cost_per_token_above_k_tokens",
    "input_cost_per_token_above_-5k_tokens", "input_cost_per_token_flex_above_200k_tokens",
    "input_cost_per_gigabyte", "", "_", "flex", "output_cost_per_image_low",
  ])
  func otherFieldsHaveNone(name: String) {
    #expect(PriceTableField(name: name, has: { _ in false }) == nil)
  }

  @Test func amountsAreExactOrRoundedUp() throws {
    let table = try Self.table([
      Self.row("a", "\"input_cost_per_token\": 2.5e-06, \"output_cost_per_token\": 0.00001"),
      Self.row(
        "b", mode: "audio_transcription", "\"input_cost_per_second\": 0.0002833333333333333"),
      Self.row("c", mode: "image_generation", "\"output_cost_per_pixel\": 2.0345052083e-09"),
    ])
    let book = try #require(table.books["openai"])
    #expect(book["a"]?.base == Rates(input: 2_500_000_000, output: 10_000_000_000))
    #expect(book["b"]?.base[.audioInMilliseconds] == 283_333_334)
    #expect(book["c"]?.base[.pixelsOut] == 2_034_506)
    #expect(table.roundedCount == 2)
    #expect(book["a"]?.from == Self.day)
  }

  /// Most prices of searches are those of a tool; these models search without one.
  @Test(arguments: [
    ("perplexity", "sonar-pro", OwnSearches?.some(.perCall)),
    ("perplexity", "sonar-deep-research", .perSearch), ("openai", "gpt-4o", nil),
    ("openai", "gpt-4o-search-preview-2025-03-11", .perCall),
    ("openai", "gpt-5-search-api", .perSearch), ("xai", "grok-4", nil),
  ])
  func modelsThatSearchByThemselvesAreKnown(
    provider: String, model: String, own: OwnSearches?
  ) throws {
    let search = #""search_context_cost_per_query": {"search_context_size_medium": 0.02}"#
    let tokens = #""input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06"#
    let table = try Self.table([
      Self.row(model, provider: provider, tokens + ", " + search),
      Self.row("plain", provider: provider, tokens),
    ])
    #expect(table.books[provider]?[model]?.ownSearches == own)
    #expect(table.books[provider]?["plain"]?.ownSearches == nil)
  }

  @Test(arguments: [
    ("claude-opus-4-6", true), ("claude-opus-4-7-20260416", true), ("claude-fable-5", true),
    ("claude-opus-4-5-20251101", false), ("claude-opus-4-20250514", false),
    ("claude-3-5-sonnet", false), ("claude-3-5-haiku-20241022", false),
  ])
  func newerModelsOfAnthropicCostMoreInTheUnitedStatesAlone(model: String, isDearer: Bool) throws {
    let tokens = #""input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06"#
    let table = try Self.table([Self.row(model, provider: "anthropic", tokens)])
    let regions = isDearer ? ["us": Int64(1_100)] : [:]
    #expect(table.books["anthropic"]?[model]?.regions == regions)
  }

  @Test(arguments: [
    ("openai", "", "0.10"), ("azure", "", "0.10"), ("gemini", "", nil),
    ("openai", ", \"cache_read_input_token_cost_batches\": 5e-08", "0.05"),
  ])
  func openAIsBatchesHaveNoDiscountThatIsNotStated(
    provider: String, more: String, wanted: String?
  ) throws {
    let table = try Self.table([
      Self.row(
        "m", provider: provider,
        """
        "input_cost_per_token": 2e-07, "output_cost_per_token": 1e-06,
        "cache_read_input_token_cost": 2e-08, "input_cost_per_token_batches": 1e-07,
        "output_cost_per_token_batches": 5e-07\(more)
        """.replacing("\n", with: " "))
    ])
    let batch = try #require(table.books[provider]?["m"]?.serviceTiers["batch"])
    #expect(batch[.cacheRead].flatMap { RateKey.byBucket[.cacheRead]?.amount($0) } == wanted)
  }

  /// As one editor saves it; and what would end a line in a book.
  @Test func aMarkBeforeTheTableIsNoPartOfIt() throws {
    let tokens = #""input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06"#
    let table = try Self.table(["\u{FEFF}" + Self.row("m", tokens)])
    #expect(table.books["openai"]?["m"] != nil)
    #expect(throws: PriceFault.self) { try Self.table([Self.row("m\u{2028}n", tokens)]) }
  }

  @Test func tiersServicesAndLimitsFindTheirPlaces() throws {
    let table = try Self.table([
      Self.row(
        "m",
        """
        "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
        "input_cost_per_token_above_200k_tokens": 3e-06, "input_cost_per_token_flex": 5e-07,
        "output_cost_per_token_above_200k_tokens_priority": 9e-06, "max_input_tokens": 400000,
        "max_output_tokens": 0, "deprecation_date": "2027-01-31", "source": "https://example.com",
        "search_context_cost_per_query": {"search_context_size_low": 0.01,
        "search_context_size_medium": 0.02, "search_context_size_high": 0.03}
        """.replacing("\n", with: " "))
    ])
    let entry = try #require(table.books["openai"]?["m"])
    #expect(entry.tiers.map(\.aboveInputTokens) == [200_000])
    #expect(entry.tiers.first?.rates.statedBuckets == [.inputUncached])
    #expect(entry.serviceTiers["flex"]?[.inputUncached] == 500_000_000)
    #expect(entry.serviceTiers["priority"] == Rates())
    #expect(entry.serviceContexts["priority"]?.first?.rates[.outputText] == 9_000_000_000)
    #expect(entry.base[.webSearches] == 20_000_000_000_000)
    #expect(entry.base[.webSearchesHigh] == 30_000_000_000_000)
    #expect(entry.inputTokensMax == 400_000 && entry.outputTokensMax == nil)
    #expect(entry.retires == CivilDate("2027-01-31"))
  }

  @Test(arguments: [
    (row("m", "\"input_cost_per_tokn\": 1e-06"), "field 'input_cost_per_tokn' is not known"),
    (row("m", "\"input_cost_per_token\": \"1e-06\""), "'input_cost_per_token' is no number"),
    (
      row("m", "\"input_cost_per_token\": -1e-06"),
      "'input_cost_per_token' is -1e-06, not an amount"
    ),
    (
      row("m", "\"input_cost_per_token\": 1e-06, \"input_cost_per_token\": 0"),
      "a field stands twice"
    ),
    (row("m", "\"input_cost_per_image\": 1e6"), "'input_cost_per_image' is too large"),
    (row("m", "\"max_output_tokens\": 1.5"), "'max_output_tokens' is no whole number"),
    (row("m", "\"deprecation_date\": \"2026-02-30\""), "'deprecation_date' is no day"),
    (
      row("m", "\"search_context_cost_per_query\": {\"search_context_size_huge\": 1}"),
      "field 'search_context_cost_per_query.search_context_size_huge' is not known"
    ),
    (row("m", "\"search_context_cost_per_query\": 1"), "is no object of sizes"),
    (row("", "\"input_cost_per_token\": 1e-06"), "'model' is no plain text"),
    ("{\"model\": \"m\", \"input_cost_per_token\": 1e-06}", "'provider' is missing"),
    ("[1]", "it is no JSON object"), ("{\"model\": \"m\",}", "it is no JSON object"),
  ])
  func aFaultyLineRefusesTheTable(line: String, says: String) {
    let good = Self.row("good", "\"input_cost_per_token\": 1e-06, \"output_cost_per_token\": 1e-06")
    let text = Self.fault([good, "", line, good])
    #expect(text.contains("line 3: "), "\(text)")
    #expect(text.contains(says), "\(text)")
    #expect(text.contains("nothing was changed"))
  }

  @Test func aTableThatIsCutOffIsRefusedAtEveryByteOfItsLastLine() {
    let good = Self.row("good", "\"input_cost_per_token\": 1e-06, \"output_cost_per_token\": 1e-06")
    for count in 1..<good.utf8.count {
      let text = Self.fault([good, String(good.prefix(count))], ending: "")
      #expect(text.contains("line 2: the file ends in the middle of it"), "\(count): \(text)")
    }
    #expect(Self.fault([good, good], ending: "") == "")
    #expect(Self.fault([""]).contains("holds no prices"))
  }

  @Test(arguments: [
    ("azure", "azure/us/gpt-4o", "azure", "us/gpt-4o"),
    ("gemini", "gemini/gemini-2.5-pro", "gemini", "gemini-2.5-pro"),
    ("bedrock_converse", "us.anthropic.claude-x-v1:0", "bedrock", "us.anthropic.claude-x-v1:0"),
    (
      "bedrock", "1024-x-1024/50-steps/bedrock/amazon.n-v1:0", "bedrock",
      "1024-x-1024/50-steps/amazon.n-v1:0"
    ),
    ("openai", "high/1024-x-1024/gpt-image-1", "openai", "high/1024-x-1024/gpt-image-1"),
    ("text-completion-openai", "davinci-002", "openai", "davinci-002"),
    ("together_ai", "together_ai/Qwen/Q-7B", "together", "Qwen/Q-7B"),
    ("fireworks_ai", "fireworks_ai/accounts/f/models/m", "fireworks", "accounts/f/models/m"),
    ("vertex_ai-anthropic_models", "vertex_ai/claude-x@1", "vertex", "claude-x@1"),
    ("vertex_ai-language-models", "gemini-x", "vertex", "gemini-x"),
    ("cohere_chat", "command-r", "cohere", "command-r"),
    ("newcomer", "newcomer/m", "newcomer", "m"),
  ])
  func aModelKeepsTheNameThatItsProviderUses(
    provider: String, model: String, book: String, name: String
  ) throws {
    let fields = "\"input_cost_per_token\": 1e-06, \"output_cost_per_token\": 1e-06"
    let table = try Self.table([Self.row(model, provider: provider, fields)])
    #expect(table.books.keys.sorted() == [book])
    #expect(table.books[book]?.keys.sorted() == [name])
  }

  /// The table has fields whose unit depends on the model's mode.
  @Test func theTablesHabitsAreUndone() throws {
    func base(_ mode: String, _ fields: String) throws -> Rates? {
      try Self.table([Self.row("m", mode: mode, fields)]).books["openai"]?["m"]?.base
    }
    var image = Rates()
    image[.imagesOut] = 167_000_000_000_000
    #expect(
      try base(
        "image_generation",
        "\"input_cost_per_image\": 0.167, \"input_cost_per_pixel\": 1.59e-07, "
          + "\"output_cost_per_pixel\": 0.0") == image)
    for (tokens, input) in [
      ("\"input_cost_per_token\": 0.0, \"output_cost_per_token\": 0.0, ", 0 as Int64),
      ("\"input_cost_per_token\": 2e-06, ", 2_000_000_000),
    ] {
      let rates = try base("image_generation", tokens + "\"input_cost_per_image\": 0.167")
      #expect(rates?[.imagesOut] == 167_000_000_000_000 && rates?[.imagesIn] == nil)
      #expect(rates?[.inputUncached] == input)
    }
    let both = try base(
      "image_generation",
      "\"input_cost_per_token\": 2e-06, \"output_cost_per_token\": 1e-05, "
        + "\"input_cost_per_image\": 0.0011, \"output_cost_per_image\": 0.134")
    #expect(both?[.imagesIn] == 1_100_000_000_000 && both?[.imagesOut] == 134_000_000_000_000)
    #expect(try base("embedding", "\"input_cost_per_image\": 0.1")?[.imagesIn] != nil)
    var sound = Rates()
    sound[.audioInMilliseconds] = 100_000_000
    for fields in [
      "\"input_cost_per_second\": 0.0001, \"output_cost_per_second\": 0.0001",
      "\"output_cost_per_second\": 0.0001",
      "\"input_cost_per_second\": 0.0001, \"output_cost_per_second\": 0.0",
    ] {
      #expect(try base("audio_transcription", fields) == sound)
    }
    #expect(
      try base("embedding", "\"input_cost_per_token\": 1e-07")
        == Rates(input: 100_000_000, output: 0))
  }

  @Test func whatIsNoPriceOfACallIsLeftOutAndSaid() throws {
    let table = try Self.table([
      Self.row("rented", "\"cost_per_second\": 0.1, \"input_cost_per_second\": 0.1"),
      Self.row("none", "\"max_output_tokens\": 5"),
      Self.row("tier", "\"input_cost_per_token_priority\": 1e-06"),
      Self.row("zero", "\"input_cost_per_token\": 0, \"output_cost_per_token\": 0.0"),
      Self.row(
        "free", mode: "moderation", "\"input_cost_per_token\": 0, \"output_cost_per_token\": 0"),
      Self.row("spoken", "\"output_cost_per_character\": 1e-05"),
      Self.row(
        "paid",
        "\"input_cost_per_token\": 1e-06, \"output_cost_per_token\": 1e-06, "
          + "\"output_cost_per_character\": 0"),
    ])
    #expect(table.books["openai"]?.keys.sorted() == ["free", "paid"])
    let reasons = table.leftOut.map { "\($0.model) \($0.reason)" }.sorted()
    #expect(
      reasons == [
        "none noPrice", "rented reservedCapacity", "spoken uncounted", "tier noPrice", "zero zero",
      ])
  }

  @Test func oneModelUnderTwoNamesHasTheDearerPrice() throws {
    let fields = "\"input_cost_per_token\": 1e-06, \"output_cost_per_token\": 2e-06"
    let dearer = "\"input_cost_per_token\": 3e-06, \"output_cost_per_token\": 1e-06"
    let table = try Self.table([
      Self.row("m", fields), Self.row("openai/m", dearer), Self.row("n", fields),
      Self.row("openai/n", fields + ", \"input_cost_per_token_flex\": 5e-07"),
    ])
    let book = try #require(table.books["openai"])
    #expect(book["m"]?.base == Rates(input: 3_000_000_000, output: 2_000_000_000))
    #expect(book["n"]?.serviceTiers["flex"]?[.inputUncached] == 500_000_000)
    #expect(table.merged == ["openai: m"])
  }

  @Test func aProvidersContainerPricesItsModelsSessions() throws {
    let fields = "\"input_cost_per_token\": 1e-06, \"output_cost_per_token\": 2e-06"
    let table = try Self.table([
      Self.row("openai/container", "\"code_interpreter_cost_per_session\": 0.03"),
      Self.row("m", fields), Self.row("e", mode: "embedding", fields),
      Self.row("m", provider: "groq", fields),
    ])
    #expect(table.books["openai"]?["m"]?.base[.codeSessions] == 30_000_000_000_000)
    #expect(table.books["openai"]?["e"]?.base[.codeSessions] == nil)
    #expect(table.books["groq"]?["m"]?.base[.codeSessions] == nil)
  }

  @Test func aProviderThatIsAskedForMustBeThere() throws {
    let fields = "\"input_cost_per_token\": 1e-06, \"output_cost_per_token\": 2e-06"
    let lines = [Self.row("m", fields), Self.row("m", provider: "groq", fields)]
    #expect(try Self.table(lines, providers: ["groq"]).books.keys.sorted() == ["groq"])
    do {
      _ = try Self.table(lines, providers: ["grok"])
      Issue.record("a provider without prices was taken")
    } catch {
      #expect("\(error)".contains("prices no model of grok"))
      #expect("\(error)".contains("It has books for: groq, openai"))
    }
  }

  /// The books that are checked in are what the table says, with nothing lost on the way.
  @Test(.enabled(if: ReferenceData.isPresent, Comment(rawValue: ReferenceData.skipReason)))
  func theCheckedInBooksAreTheTables() throws {
    let file = try #require(ReferenceData.file("prices/model_prices.jsonl"))
    let from = try #require(CivilDate("2026-01-01"))
    let table = try PriceTable(path: file.path, from: from)
    #expect(table.rowCount == 1_918)
    let models = table.books.values.reduce(0) { $0 + $1.count }
    // 25 models stand there twice, with and without their provider's name.
    #expect(models + table.leftOut.count == 1_918 - 25, "\(models) \(table.leftOut.count)")
    #expect(table.merged == [])
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let folder = PriceFolder(path: root.appendingPathComponent("thresholds/prices").path)
    for (book, prices) in table.books {
      let text = try folder.text(of: book)
      #expect(text.contains("#   SHA-256 \(table.sha256)\n"))
      let file = try PriceFolder.parse(text, as: book)
      #expect(file.models.count == prices.count)
      for model in file.models {
        #expect(model.entries.first?.entry == prices[model.name], "\(book) \(model.name)")
      }
    }
  }
}
