// The text as a whole, judged by Prometheus' own tool and by a reader of ours.

import Metering
import Metrics
import TestSupport
import Testing

@testable import Telemetry

@Suite struct ExpositionTests {
  private func everything(apps: [String]) -> Exposition {
    let gateway = GatewayMetrics(
      apps: apps, upstreams: [UpstreamLabel(name: "open\"ai\\\n", provider: "openai")])
    var usage = Usage(source: .estimated)
    usage.inputUncached = 100
    usage.outputText = 5
    for app in apps.indices {
      gateway.recordCall(
        app: app, upstream: 0,
        outcome: CallOutcome(
          status: 200, ending: .completed, usage: usage, responseModel: "m",
          durationMilliseconds: 40, firstByteMilliseconds: 4),
        charge: Money(nanodollars: 12), reserved: Money(nanodollars: 10))
      gateway.recordRefusal(app: app, denial: .journalUnavailable)
    }
    let libraries = PrometheusFactory()
    libraries.makeCounter(label: "hb.requests", dimensions: [("uri", "/x\"\n")])
      .increment(by: 2)
    libraries.makeTimer(label: "http.server.request.duration", dimensions: [])
      .recordNanoseconds(30_000_000)
    libraries.makeMeter(label: "activeRequests", dimensions: [("http.method", "GET")]).set(3.5)
    libraries.makeRecorder(label: "body-size", dimensions: [], aggregate: true).record(Int64(512))
    return Exposition(gateway: gateway, libraries: libraries, version: "1.2.3")
  }

  private let readings = ScrapeReadings(
    budgets: [
      BudgetReading(
        scope: .app("a"), budget: "day", settled: .money(Money(nanodollars: 1)),
        reserved: .money(Money(nanodollars: 2_500_000_000)),
        cap: .money(Money(nanodollars: 10_000_000_000))),
      BudgetReading(
        scope: .team("search"), budget: "month", settled: .tokens(7), reserved: .tokens(0),
        cap: .tokens(1_000)),
      BudgetReading(
        scope: .part(.tag, of: "a", "nightly"), budget: "minute", settled: .calls(3),
        reserved: .calls(1), cap: .calls(60)),
    ],
    cappedApps: [("a", true), ("b", false)], foldLagEvents: 4, alertsPending: 1,
    alertsAbandoned: 0, samplesStored: 9, samplesBytes: 1024, isJournalWritable: true)

  @Test(.enabled(if: Promtool.path != nil, "promtool is not on PATH (Debian: prometheus)"))
  func promtoolFindsNothingToSay() throws {
    #expect(try Promtool.complaints(about: everything(apps: ["a", "b"]).text(readings)) == "")
    let bare = Exposition(gateway: nil, libraries: nil, version: "1").text(ScrapeReadings())
    #expect(try Promtool.complaints(about: bare) == "")
  }

  @Test(.enabled(if: Promtool.path != nil, "promtool is not on PATH (Debian: prometheus)"))
  func promtoolWouldHaveFoundSomething() throws {
    let broken = everything(apps: ["a"]).text(readings) + "leeway_open_calls{app=\"a} 1\n"
    #expect(try Promtool.complaints(about: broken) != "")
  }

  @Test func readingsAreWrittenExactly() {
    let scrape = Scrape(everything(apps: ["a", "b"]).text(readings))
    #expect(scrape[#"leeway_budget_settled_dollars{app="a",budget="day"}"#] == "0.000000001")
    #expect(scrape[#"leeway_budget_reserved_dollars{app="a",budget="day"}"#] == "2.5")
    #expect(scrape[#"leeway_budget_cap_dollars{app="a",budget="day"}"#] == "10")
    #expect(
      scrape[#"leeway_budget_settled_tokens{scope="team:search",budget="month"}"#] == "7")
    #expect(
      scrape[#"leeway_budget_cap_calls{app="a",scope="tag:a/nightly",budget="minute"}"#] == "60")
    #expect(scrape[#"leeway_app_capped{app="a"}"#] == "1")
    #expect(scrape[#"leeway_app_capped{app="b"}"#] == "0")
    #expect(scrape["leeway_fold_lag_events"] == "4")
    #expect(scrape["leeway_journal_writable"] == "1")
    #expect(scrape[#"leeway_build_info{version="1.2.3"}"#] == "1")
    #expect(scrape.duplicates.isEmpty)
  }

  @Test func whatIsNotKnownIsNotWritten() {
    let text = Exposition(gateway: nil, libraries: nil, version: "1").text(ScrapeReadings())
    #expect(!text.contains("leeway_fold_lag_events"))
    #expect(!text.contains("leeway_budget"))
  }

  @Test func aFamilysLinesStandTogetherAndOnce() {
    let text = everything(apps: ["a", "b"]).text(readings)
    var seen: Set<Substring> = []
    var current: Substring = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# HELP ") {
        current = line.dropFirst(7).prefix { $0 != " " }
        #expect(seen.insert(current).inserted, "family \(current) begins twice")
      } else if !line.hasPrefix("#") {
        #expect(line.hasPrefix(current), "\(line) stands in family \(current)")
      }
    }
    #expect(seen.contains("process_resident_memory_bytes") || ProcessReading.now() == nil)
  }

  @Test func theSameStateGivesTheSameText() {
    let first = everything(apps: ["a", "b"])
    let lines: (String) -> [Substring] = {
      $0.split(separator: "\n").filter { !$0.hasPrefix("process_") }
    }
    #expect(lines(first.text(readings)) == lines(first.text(readings)))
    #expect(lines(first.text(readings)) == lines(everything(apps: ["a", "b"]).text(readings)))
  }

  @Test func labelValuesAreEscaped() {
    var text = PrometheusText()
    text.family("x", .gauge, "a\\b\nc\"d")
    text.sample("x", [Label("l", "a\\b\nc\"d")], "1")
    #expect(text.text == "# HELP x a\\\\b\\nc\"d\n# TYPE x gauge\nx{l=\"a\\\\b\\nc\\\"d\"} 1\n")
  }

  @Test(arguments: [
    (0, 9, "0"), (1, 9, "0.000000001"), (-1, 3, "-0.001"), (1250, 3, "1.25"), (1000, 3, "1"),
    (7, 0, "7"), (Int64.max, 9, "9223372036.854775807"), (Int64.min, 9, "-9223372036.854775808"),
  ])
  func fixedPointIsExact(value: Int64, decimals: Int, text: String) {
    #expect(PrometheusText.fixedPoint(value, decimals: decimals) == text)
  }

  @Test func numbersAreReadByPrometheus() {
    #expect(PrometheusText.number(.infinity) == "+Inf")
    #expect(PrometheusText.number(-.infinity) == "-Inf")
    #expect(PrometheusText.number(.nan) == "NaN")
    #expect(PrometheusText.number(0.1) == "0.1")
  }
}

@Suite struct ProcessReadingTests {
  @Test func fieldsAreCountedBehindTheCommandsName() throws {
    let stat =
      "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 12345 1048576 64 "
      + "18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0"
    let reading = try #require(
      ProcessReading.parse(
        stat: stat, bootSeconds: 1000, ticksPerSecond: 100, pageBytes: 4096, openDescriptors: 7,
        descriptorsMax: nil))
    var text = PrometheusText()
    reading.write(to: &text)
    let scrape = Scrape(text.text)
    #expect(scrape["process_cpu_seconds_total"] == "3")
    #expect(scrape["process_start_time_seconds"] == "1123.45")
    #expect(scrape["process_resident_memory_bytes"] == "262144")
    #expect(scrape["process_virtual_memory_bytes"] == "1048576")
    #expect(scrape["process_open_fds"] == "7")
    #expect(scrape["process_max_fds"] == nil)
  }

  @Test func aTornLineIsRefused() {
    for stat in ["", "42 (a", "42 (a) S 1 2 3"] {
      #expect(
        ProcessReading.parse(
          stat: stat, bootSeconds: 0, ticksPerSecond: 100, pageBytes: 1, openDescriptors: 0,
          descriptorsMax: nil) == nil)
    }
  }

  #if os(Linux)
    @Test func thisProcessHasPlausibleFigures() throws {
      let reading = try #require(ProcessReading.now())
      #expect(reading.residentBytes > 1 << 20 && reading.residentBytes < 1 << 36)
      #expect(reading.openDescriptors > 2)
      #expect(reading.bootSeconds > 1_500_000_000)
      #expect(reading.virtualBytes > reading.residentBytes)
    }
  #endif
}
