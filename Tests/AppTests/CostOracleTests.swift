// Our costs against LiteLLM's own calculator, over every model that both price: two programs that
// share a table and nothing else. Every difference is explained here, or a failure.

import Foundation
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct CostOracleTests {
  /// Books whose models LiteLLM prices by tokens, with its provider's name and prefix.
  private static let providers: [(book: String, provider: String, prefix: String)] = [
    ("openai", "openai", ""), ("anthropic", "anthropic", ""), ("gemini", "gemini", "gemini/"),
    ("azure", "azure", "azure/"), ("xai", "xai", "xai/"), ("groq", "groq", "groq/"),
    ("deepseek", "deepseek", "deepseek/"), ("mistral", "mistral", "mistral/"),
    ("cerebras", "cerebras", "cerebras/"), ("fireworks", "fireworks_ai", "fireworks_ai/"),
  ]

  private struct Case: Encodable {
    var provider: String
    var model: String
    var tier: String?
    var usage: [String: Int64]
    var kind: String
  }

  private static let script = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Peers/litellm_costs.py").path

  private static let hasOracle: Bool = {
    guard let python = Command.peersPython else { return false }
    return (try? Command.run(python, ["-c", "import litellm"]).status) == 0
  }()

  private static let now = Timestamp(milliseconds: 1_795_000_000_000)

  @Test(.enabled(if: hasOracle, "litellm is not in the environment that scripts/peers makes"))
  func costsAreLiteLLMsToTheNanodollar() throws {
    let thresholds = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "thresholds")
    var cases: [Case] = []
    var ours: [Money] = []
    var withoutTier: [Money] = []
    for (book, provider, prefix) in Self.providers {
      let prices = try Self.book(book, in: thresholds)
      for model in prices.models {
        let price = try #require(prices.price(model: model, at: Self.now))
        guard price.base[.inputUncached] != nil, price.base[.outputText] != nil else { continue }
        for (kind, usage, tier) in Self.usages(price) {
          var counts: [String: Int64] = [:]
          usage.forEachCount { counts[$0.name] = $1 }
          cases.append(
            Case(
              provider: provider, model: prefix + model, tier: tier, usage: counts, kind: kind))
          ours.append(try #require(price.cost(of: usage, serviceTier: tier)))
          withoutTier.append(try #require(price.cost(of: usage)))
        }
      }
    }
    let theirs = try Self.costs(of: cases)
    var compared: [String: Int] = [:]
    var differences: [String] = []
    var explained: [String: Int] = [:]
    var unpriced = 0
    for (index, one) in cases.enumerated() {
      guard let cost = Decimal(string: theirs[index]), theirs[index].first?.isNumber == true else {
        unpriced += 1
        continue
      }
      compared[one.kind, default: 0] += 1
      if Self.isSame(ours[index], cost) { continue }
      if let why = Self.explanation(one, ours[index], withoutTier[index], cost) {
        explained[why, default: 0] += 1
        continue
      }
      differences.append(
        "\(one.kind) \(one.provider) \(one.model) \(one.tier ?? "") \(one.usage): "
          + "\(ours[index].nanodollars) against \(cost)")
    }
    print("compared with LiteLLM: \(compared), \(unpriced) it does not price; \(explained)")
    #expect(compared.values.reduce(0, +) >= 2_000)
    #expect(differences == [])
  }

  /// Ours is rounded up to a nanodollar; theirs is a sum of floating-point numbers.
  private static func isSame(_ ours: Money, _ theirs: Decimal) -> Bool {
    let slack = max(Decimal(sign: .plus, exponent: -3, significand: 1), theirs / 1_000_000_000)
    let difference = Decimal(ours.nanodollars) - theirs
    return difference >= -slack && difference <= 1 + slack
  }

  /// Why the two may differ; nil: they may not.
  private static func explanation(
    _ one: Case, _ ours: Money, _ withoutTier: Money, _ theirs: Decimal
  ) -> String? {
    switch one.provider {
    // Its calculator for this provider does not look at the service tier that the table prices.
    case "fireworks_ai" where one.tier == "priority" && isSame(withoutTier, theirs):
      "no service tier for Fireworks"
    // The provider halves its prices in hours that the table of facts does not tell: ours are those
    // of the other hours, whatever the hour.
    case "deepseek" where isSame(ours, theirs * 2): "off-peak hours"
    // Two rows name the model, one of them at no price: the dearer is taken.
    case "gemini" where one.model.hasSuffix("gemini-exp-1206") && theirs == 0: "two rows"
    default: nil
    }
  }

  private static func book(_ name: String, in thresholds: URL) throws -> PriceBook {
    let log = FaultLog()
    let book = PriceFolder(path: thresholds.appending(path: "prices").path)
      .read(name, log: log).book()
    #expect(log.faults.isEmpty)
    return book
  }

  /// Usages that a model's own rates tell apart.
  private static func usages(
    _ price: ModelPrice
  ) -> [(kind: String, usage: Usage, tier: String?)] {
    func usage(_ counts: [(UsageBucket, Int64)]) -> Usage {
      var usage = Usage(source: .reported)
      for (bucket, count) in counts { usage[bucket] = count }
      return usage
    }
    let plain: [(UsageBucket, Int64)] = [(.inputUncached, 1_237), (.outputText, 411)]
    var all: [(String, Usage, String?)] = [("plain", usage(plain), nil)]
    func add(_ kind: String, _ bucket: UsageBucket) {
      if price.base[bucket] != nil { all.append((kind, usage(plain + [(bucket, 313)]), nil)) }
    }
    add("cached", .cacheRead)
    add("written", .cacheWrite5m)
    add("written 1h", .cacheWrite1h)
    add("reasoning", .outputReasoning)
    add("audio in", .inputAudio)
    add("audio out", .outputAudio)
    if let tier = price.tiers.last {
      let long = [(UsageBucket.inputUncached, tier.aboveInputTokens + 17), (.outputText, 411)]
      all.append(("long", usage(long), nil))
      if price.base[.cacheRead] != nil {
        all.append(("long cached", usage(long + [(.cacheRead, 313)]), nil))
      }
    }
    for tier in ["flex", "priority"] where price.serviceTiers[tier] != nil {
      all.append((tier, usage(plain), tier))
      if price.base[.cacheRead] != nil {
        all.append(("\(tier) cached", usage(plain + [(.cacheRead, 313)]), tier))
      }
    }
    return all
  }

  private static func costs(of cases: [Case]) throws -> [String] {
    try withTemporaryDirectory { directory in
      let file = directory.path + "/cases.json"
      try JSONEncoder().encode(cases).write(to: URL(filePath: file))
      let python = try #require(Command.peersPython)
      let result = try Command.run(python, [script, file])
      struct Answer: Decodable { var costs: [String] }
      // The package may say more before it.
      let line = try #require(
        result.said.split(separator: "\n").last { $0.hasPrefix("{") }, "\(result.said)")
      let answer = try JSONDecoder().decode(Answer.self, from: Data(line.utf8))
      #expect(answer.costs.count == cases.count)
      return answer.costs
    }
  }
}
