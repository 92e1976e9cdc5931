// What the gateway counts, read back from the exposition.

import Metering
import Testing

@testable import Telemetry

@Suite struct GatewayMetricsTests {
  private func metrics() -> GatewayMetrics {
    GatewayMetrics(
      apps: ["shop", "desk"],
      upstreams: [
        UpstreamLabel(name: "openai", provider: "openai"),
        UpstreamLabel(name: "claude", provider: "anthropic"),
      ])
  }

  private func outcome(
    status: UInt16 = 200, ending: CallEnding = .completed, input: Int64 = 10, output: Int64 = 20,
    source: UsageSource = .reported, duration: Int64 = 1500, firstByte: Int64 = 300
  ) -> CallOutcome {
    var usage = Usage(source: source)
    usage.inputUncached = input
    usage.outputText = output
    return CallOutcome(
      status: status, ending: ending, usage: usage, responseModel: "m",
      durationMilliseconds: duration, firstByteMilliseconds: firstByte)
  }

  private func scrape(_ metrics: GatewayMetrics) -> Scrape {
    var text = PrometheusText()
    metrics.write(to: &text)
    return Scrape(text.text)
  }

  @Test func countsACallWhereItBelongs() {
    let metrics = metrics()
    metrics.recordCall(
      app: 1, upstream: 1, outcome: outcome(), charge: Money(nanodollars: 1_500_000_001),
      reserved: Money(nanodollars: 3_000_000_000))
    let scrape = scrape(metrics)
    let pair = #"app="desk",upstream="claude""#
    let calls = #"leeway_calls_total{app="desk",upstream="claude",status="2xx",ending="completed"}"#
    #expect(scrape[calls] == "1")
    #expect(scrape["leeway_cost_dollars_total{\(pair)}"] == "1.500000001")
    #expect(scrape[#"leeway_usage_total{\#(pair),source="reported"}"#] == "1")
    let gen = pair + #",gen_ai_operation_name="chat",gen_ai_provider_name="anthropic""#
    let tokens = "gen_ai_client_token_usage"
    #expect(scrape[#"\#(tokens)_bucket{\#(gen),gen_ai_token_type="input",le="4"}"#] == "0")
    #expect(scrape[#"\#(tokens)_bucket{\#(gen),gen_ai_token_type="input",le="16"}"#] == "1")
    #expect(scrape[#"\#(tokens)_sum{\#(gen),gen_ai_token_type="output"}"#] == "20")
    #expect(scrape["gen_ai_server_request_duration_seconds_sum{\(gen)}"] == "1.5")
    #expect(scrape["gen_ai_server_time_to_first_token_seconds_sum{\(gen)}"] == "0.3")
    #expect(scrape["leeway_estimate_ratio_sum{\(pair)}"] == "0.5")
    #expect(scrape.duplicates.isEmpty)
    #expect(!scrape.values.keys.contains { $0.contains(#"app="shop",upstream="#) })
  }

  @Test func boundsAreInclusiveAndTheLastBucketHoldsAll() {
    let metrics = metrics()
    for tokens: Int64 in [0, 1, 2, 67_108_864, 67_108_865] {
      metrics.recordCall(
        app: 0, upstream: 0, outcome: outcome(input: tokens, output: 0), charge: .zero,
        reserved: .zero)
    }
    let scrape = scrape(metrics)
    let head =
      #"gen_ai_client_token_usage_bucket{app="shop",upstream="openai","#
      + #"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_token_type="input""#
    #expect(scrape[#"\#(head),le="1"}"#] == "2")
    #expect(scrape[#"\#(head),le="4"}"#] == "3")
    #expect(scrape[#"\#(head),le="67108864"}"#] == "4")
    #expect(scrape[#"\#(head),le="+Inf"}"#] == "5")
  }

  @Test func unknownUsageIsCountedAsSuchAndNotAsZeroTokens() {
    let metrics = metrics()
    metrics.recordCall(
      app: 0, upstream: 0,
      outcome: outcome(
        status: 0, ending: .clientGone, input: 0, output: 0, source: .unknown, firstByte: -1),
      charge: Money(nanodollars: 7), reserved: Money(nanodollars: 5))
    let scrape = scrape(metrics)
    let pair = #"app="shop",upstream="openai""#
    #expect(scrape[#"leeway_usage_total{\#(pair),source="unknown"}"#] == "1")
    #expect(scrape[#"leeway_calls_total{\#(pair),status="none",ending="client_gone"}"#] == "1")
    #expect(!scrape.values.keys.contains { $0.hasPrefix("gen_ai_client_token_usage") })
    #expect(!scrape.values.keys.contains { $0.hasPrefix("gen_ai_server_time_to_first") })
    #expect(scrape["leeway_debt_dollars_total{\(pair)}"] == "0.000000002")
  }

  @Test func everyDenialHasItsCodeAsItsLabel() {
    let text = ""
    let refusal = BudgetRefusal(
      scope: .app(text), budget: text, window: text, settled: .calls(0), reserved: .calls(0),
      cap: .calls(0), estimate: .calls(0), resetsAt: Timestamp(milliseconds: 0), resetsAtText: text)
    func rate(_ unit: RateRefusal.Unit) -> RateRefusal {
      RateRefusal(
        unit: unit, isOfKey: false, limit: 1, left: 0, asked: 1, waitMilliseconds: nil)
    }
    let denials: [Denial] = [
      .keyMissing, .keyUnknown, .keyRevoked, .keysConflict, .appCapped(reason: text),
      .modelForbidden(model: text, allowed: []), .modelUnpriced(model: text),
      .outputUnbounded(field: text), .costUnbounded(part: text), .pathUnmetered(path: text),
      .budgetExhausted(refusal), .windowUnknown(budget: text), .requestInvalid(message: text),
      .bodyTooLarge(limitBytes: 1), .upstreamUnknown(name: text),
      .credentialMissing(upstream: text, variable: text), .journalUnavailable, .shuttingDown,
      .inputUnavailable(reason: text), .inputBusy,
      .tokensUnbounded,
      .purseClosed(scope: .app(text), budget: text, from: text, until: text), .jobUnknown,
      .appIsolated(order: 1), .answerOverBound, .rateLimited(rate(.tokens)),
      .rateLimited(rate(.concurrentCalls)),
      .budgetThrottled(refusal, retryAfterSeconds: 1),
    ]
    #expect(denials.map(\.code) == Denial.metricCodes)
    #expect(denials.map(\.metricIndex) == Array(0..<Denial.metricCodes.count))
    let metrics = metrics()
    for denial in denials { metrics.recordRefusal(app: 0, denial: denial) }
    metrics.recordRefusal(app: nil, denial: .keyUnknown)
    let scrape = scrape(metrics)
    for denial in denials {
      let name = #"leeway_refusals_total{app="shop",code="\#(denial.code)"}"#
      #expect(scrape[name] == "1")
    }
    #expect(scrape[#"leeway_refusals_total{app="(none)",code="key_unknown"}"#] == "1")
  }

  @Test func everyEndingAndStatusHasItsOwnSeries() {
    let metrics = metrics()
    let statuses: [UInt16] = [0, 100, 200, 302, 404, 503]
    for status in statuses + [999] {
      for ending in CallEnding.allCases {
        metrics.recordCall(
          app: 0, upstream: 0, outcome: outcome(status: status, ending: ending), charge: .zero,
          reserved: .zero)
      }
    }
    let calls = scrape(metrics).values.filter { $0.key.hasPrefix("leeway_calls_total") }
    #expect(calls.count == statuses.count * CallEnding.allCases.count)
    // 999 is no status; it counts with the server's errors rather than out of bounds.
    #expect(calls.filter { $0.value == "2" }.allSatisfy { $0.key.contains(#"status="5xx""#) })
    #expect(calls.values.compactMap { Int($0) }.reduce(0, +) == 7 * CallEnding.allCases.count)
  }

  @Test func openCallsAndConnectionsReturnToZero() {
    let metrics = metrics()
    metrics.callOpened(app: 0)
    metrics.callOpened(app: 1)
    metrics.connectionOpened()
    #expect(metrics.openCalls == 2)
    #expect(scrape(metrics)["leeway_open_connections"] == "1")
    metrics.callClosed(app: 0)
    metrics.callClosed(app: 1)
    metrics.connectionClosed()
    #expect(metrics.openCalls == 0)
    #expect(scrape(metrics)["leeway_open_connections"] == "0")
    #expect(scrape(metrics)["leeway_connections_total"] == "1")
  }

  @Test func incidentsStandFromTheBeginning() {
    let metrics = metrics()
    for incident in Incident.allCases { #expect(scrape(metrics)[incident.metricName] == "0") }
    metrics.record(.samplesDropped, count: 3)
    #expect(metrics.count(of: .samplesDropped) == 3)
    #expect(scrape(metrics)["leeway_samples_dropped_total"] == "3")
    #expect(scrape(metrics)["leeway_duplicate_settlements_total"] == "0")
  }

  @Test func nothingIsLostWhenManyThreadsCount() async {
    let metrics = metrics()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<5000 {
            metrics.recordCall(
              app: 0, upstream: 0, outcome: self.outcome(), charge: Money(nanodollars: 3),
              reserved: Money(nanodollars: 6))
            metrics.recordRefusal(app: 1, denial: .shuttingDown)
          }
        }
      }
    }
    let scrape = scrape(metrics)
    let pair = #"app="shop",upstream="openai""#
    #expect(scrape["leeway_cost_dollars_total{\(pair)}"] == "0.00012")
    #expect(scrape["leeway_estimate_ratio_count{\(pair)}"] == "40000")
    #expect(scrape["leeway_estimate_ratio_sum{\(pair)}"] == "20000")
    #expect(scrape[#"leeway_refusals_total{app="desk",code="shutting_down"}"#] == "40000")
  }
}
