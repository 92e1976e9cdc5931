// Exports and calls for the tests of the comparison.

import Foundation
import Metering
import Store
import TestSupport
import Testing

@testable import App

enum ReconcileFixture {
  /// 2026-11-01T00:00:00Z.
  static let start = Timestamp(milliseconds: 1_793_491_200_000)
  static let day: Int64 = 86_400_000
  static let hour: Int64 = 3_600_000

  /// The midnight so many days after the start, in seconds.
  static func seconds(_ days: Int64) -> Int64 { (start.milliseconds + days * day) / 1_000 }

  /// Reads texts as files of one export; their names tell nothing.
  static func read(_ texts: String...) throws -> ProviderExport { try read(texts) }

  static func read(_ texts: [String]) throws -> ProviderExport {
    try withTemporaryDirectory { directory in
      try ExportFile.read(
        texts.enumerated().map { try directory.write($1, to: "export-\($0)") })
    }
  }

  /// The fault of texts that must be refused.
  static func fault(_ texts: String...) throws -> ReconcileFault {
    try #require(#expect(throws: ReconcileFault.self) { try read(texts) })
  }

  // MARK: - OpenAI

  static func openAIPage(_ buckets: [String], hasMore: Bool = false) -> String {
    """
    {"object": "page", "data": [\(buckets.joined(separator: ",\n"))],
     "has_more": \(hasMore), "next_page": null}
    """
  }

  static func openAIBucket(day: Int64, days: Int64 = 1, _ results: [String]) -> String {
    """
    {"object": "bucket", "start_time": \(seconds(day)), "end_time": \(seconds(day + days)),
     "results": [\(results.joined(separator: ","))]}
    """
  }

  static func completions(
    _ requests: Int64, input: Int64, cached: Int64? = 0, output: Int64, model: String? = nil,
    key: String? = nil
  ) -> String {
    func quoted(_ text: String?) -> String { text.map { "\"\($0)\"" } ?? "null" }
    let cachedField = cached.map { "\"input_cached_tokens\": \($0)," } ?? ""
    return """
      {"object": "organization.usage.completions.result", "input_tokens": \(input), \(cachedField)
       "output_tokens": \(output), "num_model_requests": \(requests), "project_id": null,
       "input_audio_tokens": 0, "batch": null, "model": \(quoted(model)),
       "api_key_id": \(quoted(key)), "service_tier": null}
      """
  }

  // MARK: - Calls

  /// A settled call that took a second.
  static func call(
    _ model: String, at: Int64, input: Int64 = 0, cached: Int64 = 0, output: Int64 = 0,
    charge: Int64 = 0, answeredBy: String = "", upstream: String = "openai",
    source: UsageSource = .reported, number: UInt64 = 1
  ) -> CallRow {
    var call = CallRow(
      call: CallID(number), state: .settled, app: "a", key: 1, upstream: upstream, model: model,
      at: start.adding(milliseconds: at))
    call.endedAt = call.at.adding(milliseconds: 1_000)
    call.responseModel = answeredBy
    call.charge = Money(nanodollars: charge)
    call.usage = Usage(source: source)
    call.usage.inputUncached = input
    call.usage.cacheRead = cached
    call.usage.outputText = output
    return call
  }

  /// Calls beside an export, over its own span.
  static func compared(
    _ export: ProviderExport, _ calls: [CallRow], upstreams: Set<String> = ["openai"],
    keys: [String: String] = [:], tolerance: ReconcileTolerance = .none,
    aliases: [String: String] = [:]
  ) -> Reconciliation {
    var days = LedgerDays(span: export.span, upstreams: upstreams)
    for call in calls { days.add(call) }
    return Reconciliation(
      export, ledger: days.rows,
      rules: Reconciliation.Rules(
        upstreams: keys, pairs: ModelPairs { aliases[$0] ?? $0 }, tolerance: tolerance))
  }
}

extension Reconciliation.Row {
  /// Short enough for an expectation: `2026-11-01 gpt-4o differs input,output`.
  var said: String {
    ([day.description, place, model, state.rawValue].compactMap { $0 }
      + (differing.isEmpty ? [] : [differing.map(\.name).joined(separator: ",")]))
      .joined(separator: " ")
  }
}
