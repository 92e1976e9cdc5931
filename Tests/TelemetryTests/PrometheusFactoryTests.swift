// What libraries emit: spelt for Prometheus, kept apart from our own, and bounded.

import Metrics
import Testing

@testable import Telemetry

@Suite struct PrometheusFactoryTests {
  private func scrape(_ factory: PrometheusFactory) -> Scrape {
    var text = PrometheusText()
    factory.write(to: &text)
    return Scrape(text.text)
  }

  private let dropped = "leeway_library_series_dropped_total"

  @Test func namesAreSpeltAsPrometheusWantsThem() {
    #expect(MetricName.family("hb.requests", .counter) == "hb_requests_total")
    #expect(MetricName.family("hits_total", .counter) == "hits_total")
    #expect(
      MetricName.family("http.server.request.duration", .seconds)
        == "http_server_request_duration_seconds")
    #expect(MetricName.family("wait_milliseconds", .seconds) == "wait_seconds")
    #expect(MetricName.family("activeRequests", .gauge) == "active_requests")
    #expect(MetricName.family("9 lives", .gauge) == "_9_lives")
    #expect(MetricName.family("", .gauge) == "_")
    #expect(
      MetricName.labels([("b", "2"), ("A", "1"), ("le", "x"), ("b", "3")])
        == [Label("a", "1"), Label("b", "2"), Label("label_le", "x")])
  }

  @Test func theSameNameAndDimensionsAreOneSeries() {
    let factory = PrometheusFactory()
    for _ in 0..<3 {
      factory.makeCounter(label: "c", dimensions: [("x", "1"), ("y", "2")]).increment(by: 1)
      factory.makeCounter(label: "c", dimensions: [("y", "2"), ("x", "1")]).increment(by: 1)
    }
    #expect(scrape(factory)[#"c_total{x="1",y="2"}"#] == "6.0")
  }

  @Test func seriesAreBoundedAndTheRestIsCounted() {
    let factory = PrometheusFactory(familiesMax: 2, seriesMax: 3)
    for index in 0..<10 {
      factory.makeCounter(label: "c", dimensions: [("id", "\(index)")]).increment(by: 1)
    }
    factory.makeMeter(label: "g", dimensions: []).set(Int64(1))
    factory.makeMeter(label: "h", dimensions: []).set(Int64(1))
    let scrape = scrape(factory)
    #expect(scrape.values.keys.filter { $0.hasPrefix("c_total") }.count == 3)
    #expect(scrape["g"] == "1.0")
    #expect(scrape["h"] == nil)
    #expect(scrape[dropped] == "8")
  }

  @Test func librariesCannotWriteIntoOurFamilies() {
    let factory = PrometheusFactory()
    factory.makeCounter(label: "leeway.calls", dimensions: []).increment(by: 5)
    factory.makeMeter(label: "process.open.fds", dimensions: []).set(Int64(5))
    let scrape = scrape(factory)
    #expect(scrape.values.count == 1)
    #expect(scrape[dropped] == "2")
  }

  @Test func oneNameIsOneKind() {
    let factory = PrometheusFactory()
    factory.makeMeter(label: "x", dimensions: []).set(Int64(1))
    factory.makeRecorder(label: "x", dimensions: [], aggregate: true).record(Int64(7))
    factory.makeRecorder(label: "x", dimensions: [("a", "b")], aggregate: true).record(Int64(7))
    let scrape = scrape(factory)
    #expect(scrape["x"] == "1.0")
    #expect(scrape["x_count"] == nil)
    #expect(scrape[dropped] == "2")
  }

  @Test func timesAreSecondsInBuckets() {
    let factory = PrometheusFactory()
    let timer = factory.makeTimer(label: "t", dimensions: [])
    timer.recordNanoseconds(5_000_000)
    timer.recordNanoseconds(20_000_000_000)
    let scrape = scrape(factory)
    #expect(scrape[#"t_seconds_bucket{le="0.005"}"#] == "1")
    #expect(scrape[#"t_seconds_bucket{le="10.0"}"#] == "1")
    #expect(scrape[#"t_seconds_bucket{le="+Inf"}"#] == "2")
    #expect(scrape["t_seconds_sum"] == "20.005")
  }

  @Test func aCounterNeverFallsAndAGaugeMayGoBothWays() {
    let factory = PrometheusFactory()
    let counter = factory.makeFloatingPointCounter(label: "c", dimensions: [])
    counter.increment(by: 1.5)
    counter.increment(by: -1)
    let gauge = factory.makeMeter(label: "g", dimensions: [])
    gauge.increment(by: 2)
    gauge.decrement(by: 5)
    #expect(scrape(factory)["c_total"] == "1.5")
    #expect(scrape(factory)["g"] == "-3.0")
  }
}
