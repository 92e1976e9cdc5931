// Prices: dated, exact, and complete for every model that a budgeted app may call.

import Foundation
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct SettingsPriceTests {
  private func load(_ prices: String, app: String = "upstream: rehearsal") throws -> (
    Settings?, [String]
  ) {
    try withTemporaryDirectory { directory in
      try directory.write(SettingsLoadTests.gatewayFile, to: "gateway.yaml")
      try directory.write(prices, to: "prices/openai.yaml")
      try directory.write(app, to: "apps/a.yaml")
      let (settings, faults) = SettingsLoadTests.load(directory)
      return (settings, faults.map { $0.description.replacing(directory.path + "/", with: "") })
    }
  }

  @Test func amountsAreReadFromTheText() throws {
    // 0.1 + 0.2 style fractions and trailing digits that no Double keeps.
    let (settings, faults) = try load(
      """
      m: { from: 2026-01-01, inputPerMillion: 0.3, cacheReadPerMillion: "0.000000003",
           outputPerMillion: 9007199.254740993, outputReasoningPerMillion: "4" }
      """)
    #expect(faults == [])
    let price = try #require(
      settings?.prices(of: "openai").price(model: "m", at: SettingsLoadTests.now))
    #expect(price.base[.inputUncached] == 300_000_000)
    #expect(price.base[.cacheRead] == 3)
    #expect(price.base[.outputText] == 9_007_199_254_740_993)
    #expect(price.base[.outputReasoning] == 4_000_000_000)
    // What is not stated costs what plain input or output costs.
    #expect(price.base.rate(of: .cacheWrite1h) == 300_000_000)
    #expect(price.base.rate(of: .outputAudio) == 9_007_199_254_740_993)
  }

  @Test(arguments: [nil, UsageBucket.imagesOut, .charactersIn, .audioInMilliseconds])
  func theLineThatARefusalSuggestsPricesTheModel(unit: UsageBucket?) throws {
    let line = Denial.pricingLine(model: "new-model", unit: unit)
      .replacing("YYYY-MM-DD", with: "2026-11-01")
    let (settings, faults) = try load(line)
    #expect(faults == [])
    let price = settings?.prices(of: "openai").price(
      model: "new-model", at: SettingsLoadTests.now)
    #expect(price?.base.rate(of: unit ?? .outputText) == 0)
  }

  /// A model may be priced by the sizes of its pictures alone, and a deployment with it.
  @Test func aBudgetedAppMayListAModelThatIsPricedBySize() throws {
    let (settings, faults) = try load(
      """
      hd/1024-x-1024/canvas: { from: 2026-01-01, imageOutEach: "0.08", aliases: [mine] }
      standard/1024-x-1024/canvas: { from: 2026-01-01, imageOutEach: "0.04" }
      """,
      app: """
        upstream: openai
        models: [canvas, mine, "canv*"]
        budgets: { month: "5" }
        """)
    #expect(faults == [])
    let prices = try #require(settings?.prices(of: "openai"))
    let picture = PictureName(quality: nil, width: 1_024, height: 1_024, model: "mine")
    #expect(
      prices.prices(ofPicture: picture, at: SettingsLoadTests.now).map(\.name)
        == ["standard/1024-x-1024/canvas", "hd/1024-x-1024/canvas"])
  }

  @Test func aPriceHoldsFromItsDayOn() throws {
    let (settings, faults) = try load(
      """
      m:
        - { from: 2026-01-01, inputPerMillion: "2", outputPerMillion: "8" }
        - { from: 2026-06-01, inputPerMillion: "1", outputPerMillion: "4" }
      """)
    #expect(faults == [])
    let prices = try #require(settings?.prices(of: "openai"))
    let june = Timestamp(milliseconds: 1_780_272_000_000)
    let may = june.adding(milliseconds: -1)
    #expect(prices.price(model: "m", at: may)?.base[.inputUncached] == 2_000_000_000)
    #expect(prices.price(model: "m", at: june)?.base[.inputUncached] == 1_000_000_000)
    #expect(prices.price(model: "m", at: Timestamp(milliseconds: 0)) == nil)
  }

  @Test func faultsOfAPrice() throws {
    let (_, faults) = try load(
      """
      a: { from: 2026-02-30, inputPerMillion: "1", outputPerMillion: "1" }
      b: { from: 2026-01-01, inputPerMillion: "-1", outputPerMillion: free }
      c: { inputPerMillion: "1", outputPerMillon: "1" }
      d:
        - { from: 2026-01-01, inputPerMillion: "1", outputPerMillion: "1" }
        - { from: 2026-01-01, inputPerMillion: "2", outputPerMillion: "1" }
      e:
        from: 2026-01-01
        inputPerMillion: "1"
        outputPerMillion: "1"
        tiers:
          - { inputPerMillion: "2", outputPerMillion: "2" }
        serviceTiers:
          flex: {}
      f: []
      "": { from: 2026-01-01, inputPerMillion: "1", outputPerMillion: "1" }
      """)
    let says = [
      "openai.yaml:1: 'a.from' is '2026-02-30', a day that does not exist",
      "openai.yaml:2: 'b.inputPerMillion' is negative (-1)",
      "openai.yaml:2: 'b.outputPerMillion' is 'free', not an amount of money",
      "openai.yaml:3: 'c.from' is missing", "openai.yaml:3: 'c.outputPerMillion' is missing",
      "openai.yaml:3: unknown key 'c.outputPerMillon' — did you mean 'outputPerMillion'?",
      "a price of 'd' from the same day stands twice",
      "openai.yaml:12: 'e.tiers[0].aboveInputTokens' is missing",
      "openai.yaml:14: 'e.serviceTiers.flex' states no rate", "openai.yaml:15: 'f' has no price",
      "openai.yaml:16: a key is no name",
    ]
    for text in says { #expect(faults.contains { $0.contains(text) }, "\(text) in \(faults)") }
    #expect(faults.count == says.count, "\(faults)")
  }

  @Test func aBudgetedAppMayOnlyNamePricedModels() throws {
    let prices = """
      gpt-a: { from: 2026-01-01, inputPerMillion: "1", outputPerMillion: "1", aliases: [gpt-b-1] }
      later: { from: 2027-01-01, inputPerMillion: "1", outputPerMillion: "1" }
      """
    let app = """
      upstream: rehearsal
      models:
        - gpt-a
        - gpt-b-*
        - gpt-c
        - other*
        - later
      """
    let (_, faults) = try load(prices, app: app + "\nbudgets: { day: 1 }")
    #expect(faults.count == 3, "\(faults)")
    #expect(faults.contains { $0.hasPrefix("apps/a.yaml:5: model 'gpt-c' has no price in force") })
    #expect(faults.contains { $0.hasPrefix("apps/a.yaml:6: no model that matches 'other*'") })
    #expect(faults.contains { $0.hasPrefix("apps/a.yaml:7: model 'later' has no price in force") })
    let (settings, none) = try load(prices, app: app)
    #expect(none == [])
    #expect(settings != nil)
  }
}
