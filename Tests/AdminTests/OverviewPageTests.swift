// The one page: what it says, that nothing can break out of its text, and how figures read.

import Metering
import TestSupport
import Testing

@testable import Admin

@Suite(.serialized) struct OverviewPageTests {
  private func page(_ control: ExampleControl) async throws -> RawAnswer {
    try await withServer(control) { try await ask("/", port: $0) }
  }

  private let control = ExampleControl(reportsDirectory: "/nonexistent")

  @Test func everyAppIsARow() async throws {
    let page = try await page(control)
    #expect(page.status == 200)
    #expect(page.header("content-type") == "text/html; charset=utf-8")
    for app in ["support-chat", "invoice-reader", "prime-check", "mail-triage"] {
      #expect(page.text.contains("<b>\(app)</b>"))
    }
    for text in [
      "$11.48", "of $40.00", "$402.12", "18,204", "Mara Lindqvist", "28 %",
      "Drift: answer [No] +62.4 points against march", "no-power", "no cap", "$0.000002",
      "usage unknown for 2 calls", "$0.91 held", "resets 2026-12-01 00:00",
      #"href="/reports/2026-11-23/prime-check.html""#, "27,941", "$33.39",
      "1 app stopped, 1 app at the cap",
    ] {
      #expect(page.text.contains(text), "\(text)")
    }
  }

  @Test func textStaysText() async throws {
    let page = try await page(control)
    #expect(!page.text.contains("<script"))
    #expect(!page.text.contains("<img"))
    #expect(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    #expect(!page.text.contains("style=\""))
    #expect(!page.text.contains(" onerror=alert(2)>"))
  }

  /// To Swift a "<" with an accent is one character, and none of those that Mustache escapes.
  @Test func aCombiningMarkDoesNotHideMarkup() async throws {
    var marked = control
    marked.apps[0].name = "<\u{301}b>"
    marked.apps[0].owner = "<\u{338}img src=x>"
    marked.apps[0].budgets[0].name = "\"\u{301} onload=alert(1) x=\""
    marked.health[0].name = "<\u{301}i>"
    let scalars = Array(try await page(marked).text.unicodeScalars)
    for (one, next) in zip(scalars, scalars.dropFirst()) where ["<", "\""].contains(one) {
      #expect(next != "\u{301}" && next != "\u{338}")
    }
    let body = String(String.UnicodeScalarView(scalars))
    #expect(body.contains("&lt;\u{301}b&gt;"))
    #expect(body.contains("&quot;\u{301} onload=alert(1) x=&quot;"))
  }

  @Test func theNonceIsNewEachTimeAndFits() async throws {
    let nonces = try await withServer(control) { port in
      var nonces: [String] = []
      for _ in 0..<2 {
        let page = try await ask("/", port: port)
        let tag = try #require(page.text.range(of: "<style nonce=\""))
        let nonce = String(page.text[tag.upperBound...].prefix { $0 != "\"" })
        #expect(nonce.count >= 16)
        let policy = page.header("content-security-policy") ?? ""
        #expect(policy.contains("style-src 'nonce-\(nonce)'"))
        nonces.append(nonce)
      }
      return nonces
    }
    #expect(nonces[0] != nonces[1])
  }

  @Test func whatNeedsAPersonComesFirst() async throws {
    let body = try await page(control).text
    let order = ["prime-check", "mail-triage", "invoice-reader", "support-chat"]
    let places = try order.map { name in
      try #require(body.range(of: "<b>\(name)</b>")).lowerBound
    }
    #expect(places == places.sorted())
  }

  @Test func noAppsSaysWhatToDo() async throws {
    var empty = control
    empty.apps = []
    let body = try await page(empty).text
    #expect(body.contains("thresholds/apps/APP.yaml"))
    #expect(!body.contains("<table>"))
    #expect(body.contains("No apps yet"))
  }

  @Test func anOverviewThatFailsIsA503WithoutDetails() async throws {
    var broken = control
    broken.hasOverview = false
    let page = try await page(broken)
    #expect(page.status == 503)
    #expect(page.text.contains("cannot be read now"))
    #expect(!page.text.contains("Unavailable"))
  }

  @Test func whatAppsShareHasALineAndAPartThatIsFullDoesNotStopTheApp() async throws {
    var some = control
    var app = ExampleControl.exampleApps[0]
    app.budgets.append(
      .init(
        name: "tag nightly: month", isPart: true, settled: .calls(60), reserved: .calls(0),
        cap: .calls(60), resetsAtText: ""))
    some.apps = [app]
    some.shared = [
      .init(
        name: "team search", owner: "Ada",
        budgets: [
          .init(
            name: "month", settled: .tokens(2_000_000), reserved: .tokens(1_500),
            cap: .tokens(4_000_000), resetsAtText: "2026-12-01 00:00 UTC")
        ])
    ]
    var body = try await page(some).text
    #expect(body.contains("All apps running"))
    #expect(body.contains("<b>tag nightly: month</b> 60 calls <small>of 60 calls</small>"))
    #expect(body.contains("never resets"))
    #expect(body.contains("<b>team search</b><small>Ada</small>"))
    #expect(body.contains("<b>month</b> 2,000,000 tokens <small>of 4,000,000 tokens</small>"))
    #expect(body.contains("1,500 tokens held"))
    some.shared[0].budgets[0].settled = .tokens(4_000_000)
    body = try await page(some).text
    #expect(body.contains("team search at the cap"))
  }

  @Test func failingChecksAreTheHeadline() async throws {
    var ill = control
    ill.health[0] = Overview.HealthLine(name: "Journal", value: "cannot be written", isFine: false)
    let body = try await page(ill).text
    #expect(body.contains("1 system check failing"))
    #expect(body.contains("dot bad"))
  }

  @Test(arguments: [
    (0, "$0.00"), (1, "<$0.000001"), (999, "<$0.000001"), (1000, "$0.000001"),
    (1_500, "$0.000002"), (4_200_000, "$0.0042"), (10_000_000, "$0.01"), (12_000_000, "$0.01"),
    (9_999_999, "$0.01"), (1_000_000_000, "$1.00"), (11_482_000_000, "$11.48"),
    (1_234_567_890_000_000, "$1,234,567.89"), (-2_500_000_000, "−$2.50"),
    (Int64.max, "$9,223,372,036.85"), (Int64.min, "−$9,223,372,036.85"),
  ])
  func dollarsReadWell(nanodollars: Int64, text: String) {
    #expect(PageText.dollars(Money(nanodollars: nanodollars)) == text)
  }

  @Test func aStrayErrorIsNoAlarm() {
    #expect(OverviewModel.errorTone(0, of: 0) == "")
    #expect(OverviewModel.errorTone(9, of: 1000) == "")
    #expect(OverviewModel.errorTone(10, of: 1000) == "bad")
    #expect(OverviewModel.errorTone(1, of: 1) == "bad")
  }

  @Test func sharesStayInBounds() {
    #expect(PageText.permille(0, of: 100) == 0)
    #expect(PageText.permille(1, of: 1_000_000) == 4)
    #expect(PageText.permille(50, of: 100) == 500)
    #expect(PageText.permille(500, of: 100) == 1000)
    #expect(PageText.permille(1, of: 0) == 1000)
    #expect(PageText.percent(999, of: 1000) == 99)
    #expect(PageText.percent(.max, of: 1) == .max)
    #expect(PageText.percent(0, of: 0) == 0)
    #expect(Int64.min.groupedText == "−9,223,372,036,854,775,808")
  }
}
