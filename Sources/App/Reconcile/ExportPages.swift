// Pages of the providers' usage and cost endpoints.
//
// OpenAI:    /v1/organization/usage/completions, …/embeddings, …/images and others,
//            /v1/organization/costs
// Anthropic: /v1/organizations/usage_report/messages, /v1/organizations/cost_report
//
// OpenAI counts cached tokens, and those written to the cache, among the input tokens; Anthropic
// does not. OpenAI's amounts are dollars, Anthropic's cents.

import Metering
import Providers

/// Reads one page into an export.
struct ExportPages {
  private let page: ExportNode
  private let dialect: DialectID
  private var kind = ""

  private static let anthropicWidth =
    "Ask for bucket_width=1d (or 1h, 1m) with starting_at at 00:00:00Z."
  private static let openAIWidth =
    "Ask for bucket_width=1d (or 1h, 1m) with start_time at midnight UTC."
  private static let isNoExport =
    "Known are OpenAI's organization usage and costs, Anthropic's usage and cost reports, and CSV "
    + "with a head row."

  /// - Throws: where the document is no page of a known endpoint.
  init(_ document: ExportNode) throws(ReconcileFault) {
    page = document
    if try document.member("error") != nil {
      throw document.fault(
        "this is the provider's refusal of the request, not an export",
        hint: "Usage and costs need an organization's admin key; fetch the export again.")
    }
    guard try document.member("data") != nil else {
      throw document.fault("this is no page of an export", hint: Self.isNoExport)
    }
    if case .string("page") = try document.member("object")?.tree {
      dialect = .openai
    } else if try document.member("has_more") != nil, try document.member("object") == nil {
      dialect = .anthropic
    } else {
      throw document.fault("this is no page of an export", hint: Self.isNoExport)
    }
  }

  mutating func read(into assembly: inout ExportAssembly) throws(ReconcileFault) {
    var end: Timestamp?
    for bucket in try page.needed("data").elements() {
      let span = try span(of: bucket)
      // An SDK of OpenAI's spells it in the singular.
      let singular = try bucket.member("result")
      let results = if let singular { singular } else { try bucket.needed("results") }
      var kindOfBucket = ""
      for result in try results.elements() {
        let kind = try read(result, on: span.lowerBound.day, into: &assembly)
        guard kindOfBucket.isEmpty || kindOfBucket == kind else {
          throw result.fault("results of two kinds stand in one bucket")
        }
        kindOfBucket = kind
      }
      try assembly.add(
        ExportAssembly.Bucket(span: span, kind: kindOfBucket, place: bucket.place),
        widthHint: dialect == .openai ? Self.openAIWidth : Self.anthropicWidth)
      end = max(end ?? span.upperBound, span.upperBound)
      if !kindOfBucket.isEmpty { kind = kindOfBucket }
    }
    var hasMore = false
    if case .boolean(true) = try page.member("has_more")?.tree { hasMore = true }
    assembly.add(
      ExportAssembly.Page(end: end, kind: kind, hasMore: hasMore, place: page.place))
  }

  private func span(of bucket: ExportNode) throws(ReconcileFault) -> Range<Timestamp> {
    let names = dialect == .openai ? ("start_time", "end_time") : ("starting_at", "ending_at")
    let start = try bucket.moment(names.0)
    let end = try bucket.moment(names.1)
    guard start < end else { throw bucket.fault("the bucket ends before it begins") }
    return start..<end
  }

  /// Reads a result; what it is.
  private func read(
    _ result: ExportNode, on day: CivilDate, into assembly: inout ExportAssembly
  ) throws(ReconcileFault) -> String {
    var row = ProviderUsageRow(day: day)
    row.key = try result.text("api_key_id").map(ShownKey.text)
    guard dialect == .openai else { return try readAnthropic(result, row, into: &assembly) }
    let object = try result.text("object") ?? ""
    guard let usage = OpenAIResult(object: object) else {
      throw result.fault(
        "results of this kind are not known: '\(object)'",
        hint: "Fetch one of docs/RECONCILE.md's: usage/completions, costs and so on.")
    }
    row.model = try result.text("model")
    switch usage {
    case .completions: try readCompletions(result, row, into: &assembly)
    case .embeddings:
      row.figures[.requests] = try result.neededCount("num_model_requests")
      row.figures[.input] = try result.neededCount("input_tokens")
      assembly.add(row)
      try declare([.requests, .input], result, &assembly)
    case .costs:
      let amount = try result.needed("amount")
      try checkCurrency(amount)
      row.model = try result.text("line_item").flatMap(OpenAIResult.model(ofLineItem:))
      assembly.add(row, amount: try amount.amount("value", .dollars))
      try declare([.cost], result, &assembly)
    case .units(let measure, let field):
      var counted: Set = [measure]
      row.figures[measure] = try result.neededCount(field)
      // A search is a call within another.
      if measure != .webSearches, let requests = try result.count("num_model_requests") {
        row.figures[.requests] = requests
        counted.insert(.requests)
      }
      row.counted = counted
      assembly.add(row)
      try declare(counted, result, &assembly)
    case .other(let name): assembly.leaveOut(name)
    }
    return object
  }

  private func readCompletions(
    _ result: ExportNode, _ row: ProviderUsageRow, into assembly: inout ExportAssembly
  ) throws(ReconcileFault) {
    var row = row
    var measures: Set<UsageMeasure> = [.requests, .input, .output]
    row.figures[.requests] = try result.neededCount("num_model_requests")
    row.figures[.output] = try result.neededCount("output_tokens")
    var input = try result.neededCount("input_tokens")
    for (name, measure) in [
      ("input_cached_tokens", UsageMeasure.cacheRead), ("input_cache_write_tokens", .cacheWrite),
    ] {
      guard let count = try result.count(name) else { continue }
      measures.insert(measure)
      row.figures[measure] = count
      input -= count
    }
    guard input >= 0 else {
      throw result.fault("more input tokens are cached than there are")
    }
    row.figures[.input] = input
    assembly.add(row)
    try declare(measures, result, &assembly)
  }

  private func readAnthropic(
    _ result: ExportNode, _ row: ProviderUsageRow, into assembly: inout ExportAssembly
  ) throws(ReconcileFault) -> String {
    var row = row
    row.model = try result.text("model")
    if try result.member("amount") != nil {
      try checkCurrency(result)
      assembly.add(row, amount: try result.amount("amount", .cents))
      try declare([.cost], result, &assembly)
      return "cost_report"
    }
    row.figures[.input] = try result.neededCount("uncached_input_tokens")
    row.figures[.cacheRead] = try result.neededCount("cache_read_input_tokens")
    row.figures[.output] = try result.neededCount("output_tokens")
    let writes = try result.needed("cache_creation")
    for name in ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"] {
      row.figures.add(try writes.neededCount(name), to: .cacheWrite)
    }
    var measures: Set<UsageMeasure> = [.input, .cacheRead, .cacheWrite, .output]
    if let searches = try result.member("server_tool_use")?.count("web_search_requests") {
      row.figures[.webSearches] = searches
      measures.insert(.webSearches)
    }
    assembly.add(row)
    try declare(measures, result, &assembly)
    return "usage_report"
  }

  private func declare(
    _ measures: Set<UsageMeasure>, _ result: ExportNode, _ assembly: inout ExportAssembly
  ) throws(ReconcileFault) {
    try assembly.add(measures: measures, dialect: dialect, isTable: false, at: result.place)
  }

  private func checkCurrency(_ node: ExportNode) throws(ReconcileFault) {
    guard let currency = try node.text("currency"), currency.uppercased() != "USD" else { return }
    throw node.fault(
      "the amount is in \(currency)", hint: "The ledger is in US dollars; nothing is converted.")
  }
}

/// Kinds of results that OpenAI's endpoints give.
enum OpenAIResult: Hashable {
  case completions, embeddings, costs
  /// Counted in units that are no tokens, by a field of the result.
  case units(UsageMeasure, String)
  /// What no call is billed by.
  case other(String)

  init?(object: String) {
    switch object {
    case "organization.usage.completions.result": self = .completions
    case "organization.usage.embeddings.result": self = .embeddings
    case "organization.costs.result": self = .costs
    case "organization.usage.moderations.result": self = .other("moderations")
    case "organization.usage.vector_stores.result": self = .other("vector stores")
    case "organization.usage.images.result": self = .units(.images, "images")
    case "organization.usage.audio_speeches.result": self = .units(.characters, "characters")
    case "organization.usage.audio_transcriptions.result": self = .units(.seconds, "seconds")
    case "organization.usage.code_interpreter_sessions.result":
      self = .units(.codeSessions, "num_sessions")
    case "organization.usage.file_searches.result": self = .units(.fileSearches, "num_requests")
    case "organization.usage.web_searches.result": self = .units(.webSearches, "num_requests")
    default: return nil
    }
  }

  /// The model of a line item, as in `gpt-4o-2024-08-06, cached input` and `gpt-image-1 image,
  /// output`; nil of those that name none, as in `Web search tool calls`.
  static func model(ofLineItem text: String) -> String? {
    guard let comma = text.lastIndex(of: ",") else { return nil }
    let model = text[..<comma].prefix { $0 != " " && $0 != "," }
    return model.isEmpty ? nil : String(model)
  }
}
