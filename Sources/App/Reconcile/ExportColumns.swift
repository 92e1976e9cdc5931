// Which column of a table is what, by the names that the providers' consoles and endpoints give.

import Providers

/// The columns of a table's head that are understood.
struct ExportColumns {
  /// Index of the day, or of the bucket's start.
  private(set) var start: Int
  private(set) var end: Int?
  private(set) var model: Int?
  /// The key's id before its name.
  private(set) var key: Int?
  private(set) var keyName: Int?
  private(set) var currency: Int?
  /// Indexes of the columns that make up a measure.
  private(set) var measures: [UsageMeasure: [Int]] = [:]
  /// Whether the input column counts cached tokens too.
  private(set) var includesCached = false
  private(set) var dialect: DialectID?
  /// Names in the head, for what is told of a row.
  let names: [String]

  private static let starts = [
    "usage_date_utc", "date", "day", "usage_date", "start_time_iso", "start_time", "starting_at",
    "bucket_start_time", "date_utc",
  ]
  private static let ends = ["end_time_iso", "end_time", "ending_at", "bucket_end_time"]
  private static let models = ["model", "model_version", "model_name", "snapshot_id"]
  private static let keys = ["api_key_id", "key_id"]
  private static let keyNames = ["api_key", "api_key_name", "key_name", "key"]
  private static let currencies = ["amount_currency", "currency"]
  private static let requests = ["num_model_requests", "num_requests", "n_requests", "requests"]
  /// Without what is cached.
  private static let uncached = [
    "usage_input_tokens_no_cache", "uncached_input_tokens", "input_uncached_tokens",
  ]
  private static let input = ["input_tokens", "n_context_tokens_total", "prompt_tokens"]
  /// OpenAI's names: what they count is among the input tokens.
  private static let within = ["input_cached_tokens", "n_cached_context_tokens_total"]
  /// Anthropic's: what they count is beside them.
  private static let beside = ["usage_input_tokens_cache_read", "cache_read_input_tokens"]
  private static let writeWithin = ["input_cache_write_tokens"]
  private static let writeBeside = [
    "usage_input_tokens_cache_write", "cache_creation_input_tokens",
  ]
  private static let writeParts = [
    "usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h",
    "cache_creation.ephemeral_5m_input_tokens", "cache_creation.ephemeral_1h_input_tokens",
  ]
  private static let output = [
    "usage_output_tokens", "output_tokens", "n_generated_tokens_total", "completion_tokens",
  ]
  private static let webSearches = ["web_search_count", "server_tool_use.web_search_requests"]
  private static let cost = [
    "cost_usd", "amount_value", "amount_usd", "total_cost_usd", "usd", "cost",
  ]

  /// - Parameter head: the first row's fields.
  init(_ head: [String], at place: ReconcileFault.Place) throws(ReconcileFault) {
    names = head.map(Self.normal)
    let names = names
    func refuse(_ what: String) -> ReconcileFault {
      let list = head.map { "'\($0)'" }.joined(separator: ", ")
      return ReconcileFault(
        what, at: place,
        hint: "Its columns: \(list). Needed are a date and a count of requests or tokens, or a "
          + "cost, under the provider's own names; docs/RECONCILE.md lists them.")
    }
    func one(_ known: [String]) throws(ReconcileFault) -> Int? {
      let found = names.indices.filter { known.contains(names[$0]) }
      guard found.count < 2 else {
        let both = found.map { "'\(head[$0])'" }.joined(separator: " and ")
        throw refuse("\(both) both say the same of a row")
      }
      return found.first
    }
    /// The first of the known names that is there.
    func first(_ known: [String]) -> Int? {
      known.lazy.compactMap { name in names.firstIndex(of: name) }.first
    }
    guard Set(names).count == names.count else { throw refuse("a column stands twice") }
    guard let start = first(Self.starts) else { throw refuse("no column holds a date") }
    self.start = start
    end = first(Self.ends)
    model = first(Self.models)
    keyName = first(Self.keyNames)
    key = first(Self.keys) ?? keyName
    currency = first(Self.currencies)
    func take(_ measure: UsageMeasure, _ columns: [Int?]) {
      let columns = columns.compactMap { $0 }
      if !columns.isEmpty { measures[measure] = columns }
    }
    take(.requests, [try one(Self.requests)])
    take(.output, [try one(Self.output)])
    take(.webSearches, [try one(Self.webSearches)])
    take(.cost, [try one(Self.cost)])
    let (read, readApart) = (try one(Self.within), try one(Self.beside))
    let (write, writeApart) = (try one(Self.writeWithin), try one(Self.writeBeside))
    let parts = names.indices.filter { Self.writeParts.contains(names[$0]) }
    guard [read, readApart].contains(nil), parts.isEmpty || writeApart == nil,
      write == nil || writeApart == nil && parts.isEmpty
    else { throw refuse("two columns count the same cached tokens") }
    take(.cacheRead, [read ?? readApart])
    take(.cacheWrite, parts.isEmpty ? [write ?? writeApart] : parts)
    if let uncached = try one(Self.uncached) {
      take(.input, [uncached])
    } else if let input = try one(Self.input) {
      take(.input, [input])
      includesCached = readApart == nil && writeApart == nil && parts.isEmpty
    }
    guard !measures.isEmpty else { throw refuse("no column counts anything that is compared") }
    dialect = Self.dialect(of: Set(names))
  }

  private static func dialect(of names: Set<String>) -> DialectID? {
    let anthropic: Set = [
      "model_version", "usage_input_tokens_no_cache", "uncached_input_tokens", "workspace",
      "workspace_id", "list_price_usd", "inference_geo",
    ]
    let openai: Set = [
      "num_model_requests", "n_context_tokens_total", "n_requests", "project_id",
      "input_cached_tokens", "amount_value", "organization_id", "snapshot_id",
    ]
    switch (names.isDisjoint(with: anthropic), names.isDisjoint(with: openai)) {
    case (false, true): return .anthropic
    case (true, false): return .openai
    default: return nil
    }
  }

  /// `Cost (USD)` as `cost_usd`.
  private static func normal(_ name: String) -> String {
    let words = name.lowercased().split { " -()_\t".contains($0) }
    return words.joined(separator: "_")
  }
}
