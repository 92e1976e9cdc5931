// The gateway's cells as metric families.
//
// A series appears with its first event: apps × upstreams × buckets of zeros would be most of a
// scrape. Counters that an alert rule watches stand from the beginning.

import Metering

extension GatewayMetrics {
  func write(to text: inout PrometheusText) {
    writeCalls(to: &text)
    writeHistograms(to: &text)
    writeSums(to: &text)
    writeRefusals(to: &text)
    writeProcess(to: &text)
  }

  private func forEachPair(_ body: (_ labels: [Label], _ upstream: UpstreamLabel, Int) -> Void) {
    for (app, name) in apps.enumerated() {
      for (index, upstream) in upstreams.enumerated() {
        let labels = [Label("app", name), Label("upstream", upstream.name)]
        body(labels, upstream, base(app: app, upstream: index))
      }
    }
  }

  private func writeCalls(to text: inout PrometheusText) {
    let name = "leeway_calls_total"
    text.family(name, .counter, "Calls that ended, by status class and by how they ended.")
    forEachPair { labels, _, base in
      for (row, statusClass) in PairCells.statusClasses.enumerated() {
        for ending in CallEnding.allCases {
          let cell = base + row * PairCells.endingCount + Int(ending.rawValue)
          let value = pairs.value(at: cell)
          guard value != 0 else { continue }
          let extra = [Label("status", statusClass), Label("ending", ending.name)]
          text.sample(name, labels + extra, String(value))
        }
      }
    }
    let usage = "leeway_usage_total"
    text.family(usage, .counter, "Calls by where their usage figures come from.")
    forEachPair { labels, _, base in
      for source in UsageSource.allCases {
        let value = pairs.value(at: base + PairCells.usageSources + Int(source.rawValue))
        guard value != 0 else { continue }
        text.sample(usage, labels + [Label("source", source.name)], String(value))
      }
    }
  }

  private func writeHistograms(to text: inout PrometheusText) {
    func write(
      _ name: String, _ help: String, _ parts: [(HistogramShape, Int, [Label])],
      isGenAI: Bool = true
    ) {
      text.family(name, .histogram, help)
      forEachPair { labels, upstream, base in
        for (shape, offset, extra) in parts
        where !shape.isEmpty(in: pairs, at: base + offset) {
          let operation = Label("gen_ai_operation_name", "chat")
          let provider = Label("gen_ai_provider_name", upstream.provider)
          let all = labels + (isGenAI ? [operation, provider] : []) + extra
          shape.write(name, labels: all, from: pairs, at: base + offset, to: &text)
        }
      }
    }
    let type = "gen_ai_token_type"
    write(
      "gen_ai_client_token_usage", "Model tokens per call.",
      [
        (.tokens, PairCells.inputTokens, [Label(type, "input")]),
        (.tokens, PairCells.outputTokens, [Label(type, "output")]),
      ])
    write(
      "gen_ai_server_request_duration_seconds", "From a call's first byte to its last.",
      [(.duration, PairCells.duration, [])])
    write(
      "gen_ai_server_time_to_first_token_seconds",
      "From the request's last byte to the answer's first, of completed calls.",
      [(.firstToken, PairCells.firstToken, [])])
    write(
      "leeway_estimate_ratio",
      "Charge of a call over what was reserved for it; above 1 the reservation was too small.",
      [(.estimateRatio, PairCells.estimateRatio, [])], isGenAI: false)
  }

  private func writeSums(to text: inout PrometheusText) {
    func write(_ name: String, _ help: String, _ offset: Int) {
      text.family(name, .counter, help)
      forEachPair { labels, _, base in
        let value = pairs.value(at: base + offset)
        guard value != 0 else { return }
        text.sample(name, labels, PrometheusText.fixedPoint(value, decimals: 9))
      }
    }
    write("leeway_cost_dollars_total", "Charged, in US dollars, exact.", PairCells.cost)
    write("leeway_debt_dollars_total", "Charged beyond what was reserved.", PairCells.debt)
  }

  private func writeRefusals(to text: inout PrometheusText) {
    let name = "leeway_refusals_total"
    text.family(name, .counter, "Calls refused, by reason.")
    let codes = Denial.metricCodes
    for (row, app) in (apps + [Self.noApp]).enumerated() {
      for (column, code) in codes.enumerated() {
        let value = refusals.value(at: row * codes.count + column)
        guard value != 0 else { continue }
        text.sample(name, [Label("app", app), Label("code", code)], String(value))
      }
    }
  }

  private func writeProcess(to text: inout PrometheusText) {
    text.family("leeway_open_calls", .gauge, "Calls under way.")
    for (index, app) in apps.enumerated() {
      text.sample(
        "leeway_open_calls", [Label("app", app)], String(openByApp.value(at: index)))
    }
    text.single(
      "leeway_open_connections", .gauge, "Connections from apps.",
      String(process.value(at: ProcessCells.connectionsOpen)))
    text.single(
      "leeway_connections_total", .counter, "Connections accepted from apps.",
      String(process.value(at: ProcessCells.connectionsAccepted)))
    for incident in Incident.allCases {
      text.single(
        incident.metricName, .counter, incident.help, String(count(of: incident)))
    }
  }

  /// The label of refusals that came before an app was known; no app's name has parentheses.
  static let noApp = "(none)"
}
