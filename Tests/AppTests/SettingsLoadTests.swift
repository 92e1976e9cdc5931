// A whole thresholds directory becomes settings: defaults, what an app says over them, and the
// files that are checked in.

import Foundation
import Labels
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct SettingsLoadTests {
  /// November 2026, when the checked-in prices hold.
  static let now = Timestamp(milliseconds: 1_795_392_000_000)

  static func load(
    _ directory: TemporaryDirectory, environment: [String: String] = [:]
  ) -> (Settings?, [Fault]) {
    Settings.load(thresholdsDirectory: directory.path, environment: environment, at: now)
  }

  static let gatewayFile = """
    upstreams:
      openai: { dialect: openai, url: https://api.openai.com, credentialEnv: OPENAI_API_KEY }
      rehearsal: { dialect: openai, rehearsal: true }
    """

  @Test func checkedInThresholdsHaveNoFault() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let (settings, faults) = Settings.load(
      thresholdsDirectory: root.appendingPathComponent("thresholds").path, environment: [:],
      at: Self.now)
    #expect(faults.map(\.description) == [])
    let loaded = try #require(settings)
    #expect(loaded.gateway.listen == ListenSettings(host: "127.0.0.1", port: 8484))
    #expect(loaded.gateway.admin == ListenSettings(host: "127.0.0.1", port: 8485))
    let sandbox = try #require(loaded.app("sandbox"))
    #expect(sandbox.isSandbox)
    #expect(sandbox.budgets.caps[.span(.day)]?.money == Money(dollars: "5"))
    #expect(sandbox.budgets.caps[.span(.month)]?.money == Money(dollars: "50"))
    #expect(sandbox.outputTokensMax == 4_096)
    #expect(sandbox.classifiers.map(\.name) == ["refusal"])
    // Without a credential the built-in upstream answers.
    #expect(loaded.upstream(of: sandbox)?.name == "rehearsal")
  }

  @Test func checkedInPricesAreThePublishedOnes() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let (settings, _) = Settings.load(
      thresholdsDirectory: root.appendingPathComponent("thresholds").path, environment: [:],
      at: Self.now)
    let prices = try #require(settings?.prices(of: "openai"))
    let mini = try #require(prices.price(model: "gpt-4o-mini-2024-07-18", at: Self.now))
    #expect(mini.base[.inputUncached] == 150_000_000)
    #expect(mini.base[.cacheRead] == 75_000_000)
    #expect(mini.base[.outputText] == 600_000_000)
    #expect(mini.outputTokensMax == 16_384)
    #expect(mini.serviceTiers["priority"]?[.outputText] == 1_000_000_000)
    let long = try #require(prices.price(model: "gpt-6-sol", at: Self.now))
    #expect(long.tiers.map(\.aboveInputTokens) == [272_000])
    #expect(long.serviceContexts["priority"]?.first?.rates[.inputUncached] == 8_000_000_000)
  }

  @Test func whatAFileDoesNotSayIsTheDefault() throws {
    try withTemporaryDirectory { directory in
      try directory.write(Self.gatewayFile, to: "gateway.yaml")
      try directory.write("upstream: rehearsal", to: "apps/bare.yaml")
      let (settings, faults) = Self.load(directory)
      #expect(faults == [])
      let gateway = try #require(settings?.gateway)
      #expect(gateway.bounds.bodyBytesMax == 16 * 1_024 * 1_024)
      #expect(gateway.bounds.headBytesMax == 32 * 1_024)
      #expect(gateway.journalSyncMilliseconds == 20)
      #expect(gateway.storePath == "samples/leeway.sqlite")
      #expect(gateway.eventLoops == nil)
      let app = try #require(settings?.app("bare"))
      #expect(!app.isBudgeted)
      #expect(app.models == nil)
      #expect(app.alertPercents == [50, 80, 100])
      #expect(app.timeZone.secondsFromGMT() == 0)
      #expect(app.drift == DriftSettings())
    }
  }

  @Test func anAppInheritsKeyByKey() throws {
    try withTemporaryDirectory { directory in
      try directory.write(Self.gatewayFile, to: "gateway.yaml")
      try directory.write(
        """
        upstream: [openai, rehearsal]
        timeZone: Europe/Berlin
        owner: { name: platform, email: platform@example.com }
        budgets: { day: "10", month: "100" }
        drift: { familyRate: 0.1, minimumShift: { floor: 0.02 } }
        """, to: "defaults.yaml")
      try directory.write(
        """
        owner: { email: support@example.com }
        budgets: { day: 2.50, month: none }
        drift: { onDrift: cap }
        alertPercents: [90, 25]
        """, to: "apps/support.yaml")
      try directory.write("budgets: none", to: "apps/free.yaml")
      let (settings, faults) = Self.load(directory, environment: ["OPENAI_API_KEY": "sk-x"])
      #expect(faults == [])
      let loaded = try #require(settings)
      #expect(loaded.apps.map(\.name) == ["free", "support"])
      let app = try #require(loaded.app("support"))
      #expect(app.owner.name == "platform")
      #expect(app.owner.email == "support@example.com")
      #expect(app.timeZone.identifier == "Europe/Berlin")
      #expect(app.budgets.caps[.span(.day)]?.money == Money(nanodollars: 2_500_000_000))
      #expect(app.budgets.caps[.span(.month)] == nil)
      #expect(app.alertPercents == [25, 90])
      #expect(app.drift.onDrift == .cap)
      #expect(app.drift.familyRate == 0.1)
      #expect(app.drift.minimumShift.floor == 0.02)
      #expect(loaded.app("free")?.isBudgeted == false)
      #expect(loaded.upstream(of: app)?.name == "openai")
      #expect(loaded.upstream(of: app)?.credential?.value == "sk-x")
    }
  }

  @Test func classifiersOfEveryKindAreReadAndTheAnalyzerTakesThem() throws {
    try withTemporaryDirectory { directory in
      try directory.write(Self.gatewayFile, to: "gateway.yaml")
      try directory.write(
        #"""
        upstream: rehearsal
        classifiers:
          - { name: answer, kind: regex, pattern: '\[(Yes|No)\]', capture: 1, match: last,
              lowercase: true, none: undetermined }
          - { name: kind, kind: pointer, pointer: /result/kind }
          - { name: accuracy, kind: equals, of: answer }
          - { name: human, kind: field, column: label.human }
          - { name: refusal, kind: refusal, partial: answer }
          - name: topic
            kind: keywords
            rules:
              - { label: billing, any: [invoice, refund*], not: [no refund] }
              - { label: both, all: [a, b] }
            none: other
          - { name: tool, kind: tool, every: true }
          - { name: finish, kind: finish }
          - { name: whole, kind: completeness }
          - { name: format, kind: format }
          - { name: language, kind: language }
          - { name: words, kind: length, unit: words, bands: [10, 100] }
          - { name: speed, kind: latency, bands: [1000] }
        drift:
          baseline: march
          where: [model=gpt-4-0613, tag.team=a]
          critical: { refusal: refusal }
        """#, to: "apps/prime.yaml")
      let (settings, faults) = Self.load(directory)
      #expect(faults == [])
      let app = try #require(settings?.app("prime"))
      #expect(
        app.classifiers.map(\.kind) == [
          .regex(
            pattern: #"\[(Yes|No)\]"#, group: 1, match: .last, isLowercased: true,
            none: "undetermined"), .pointer(path: "/result/kind"), .equals(classifier: "answer"),
          .field(name: "label.human"), .refusal(partial: "answer"),
          .keywords(
            rules: [
              KeywordRule(label: "billing", any: ["invoice", "refund*"], not: ["no refund"]),
              KeywordRule(label: "both", all: ["a", "b"]),
            ], none: "other"), .tool(isEvery: true, none: "none"), .finish, .completeness, .format,
          .language, .length(unit: .words, bands: try #require(Bands([10, 100]))),
          .latency(bands: try #require(Bands([1000]))),
        ])
      #expect(app.drift.baseline == "march")
      #expect(app.drift.filters == ["model=gpt-4-0613", "tag.team=a"])
      #expect(app.drift.critical == ["refusal": ["refusal"]])
    }
  }

  @Test func secretsNeverPrint() throws {
    try withTemporaryDirectory { directory in
      try directory.write(Self.gatewayFile, to: "gateway.yaml")
      try directory.write(
        "upstream: openai\nowner: { webhook: 'https://hooks.example.com/s3cret?k=v' }",
        to: "apps/one.yaml")
      let (settings, faults) = Self.load(directory, environment: ["OPENAI_API_KEY": "sk-s3cret"])
      #expect(faults == [])
      let loaded = try #require(settings)
      #expect(loaded.app("one")?.owner.webhook?.value == "https://hooks.example.com/s3cret?k=v")
      var dumped = ""
      dump(loaded, to: &dumped)
      #expect(!dumped.contains("s3cret"))
      #expect(!"\(loaded)".contains("s3cret"))
    }
  }

  @Test func policyHasTheBudgetsWindows() throws {
    var app = AppSettings(name: "a", timeZone: try #require(TimeZone(identifier: "Europe/Berlin")))
    for (span, cap) in [(.month, 10), (.day, 1), (.hour, 0)] as [(BudgetSpan, Int64)] {
      app.budgets.caps[.span(span)] = BudgetCaps(money: Money(nanodollars: cap))
    }
    app.outputTokensMax = 100
    let policy = app.policy(WindowTimelines(from: Self.now, days: 40))
    #expect(policy.budgets.map(\.id) == ["hour", "day", "month"])
    #expect(policy.budgets.map(\.caps.money?.nanodollars) == [0, 1, 10])
    #expect(policy.budgets[1].window(at: Self.now)?.id == "2026-11-23")
    #expect(policy.budgets[2].window(at: Self.now)?.id == "2026-11")
    #expect(policy.outputTokensDefault == 100)
  }
}
