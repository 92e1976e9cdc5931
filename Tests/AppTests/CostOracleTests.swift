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
    ("cohere", "cohere", ""),
  ]

  private struct Case: Encodable {
    var provider: String
    var model: String
    var tier: String?
    var usage: [String: Int64]
    var kind: String
    // Of pictures.
    var quality: String?
    var size: String?
    var pictures: Int64?
  }

  private struct Call {
    var asked: Case
    var ours: Money
    /// What theirs may be in place of ours, by why.
    var reasons: [String: Money]
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
    let calls = try Self.calls()
    let theirs = try Self.costs(of: calls.map(\.asked))
    var compared: [String: Int] = [:]
    var differences: [String] = []
    var explained: [String: Int] = [:]
    var unpriced = 0
    for (call, theirs) in zip(calls, theirs) {
      guard let cost = Decimal(string: theirs), theirs.first?.isNumber == true else {
        unpriced += 1
        continue
      }
      let one = call.asked
      compared[one.kind, default: 0] += 1
      if Self.isSame(call.ours, cost, one) { continue }
      if let why = Self.explanation(call, cost) {
        explained[why, default: 0] += 1
        continue
      }
      differences.append(
        "\(one.kind) \(one.provider) \(one.model) \(one.tier ?? "") \(one.usage): "
          + "\(call.ours.nanodollars) against \(cost)")
    }
    for (kind, count) in compared.sorted(by: { $0.key < $1.key }) {
      print("compared with LiteLLM: \(count) calls, \(kind)")
    }
    for (why, count) in explained.sorted(by: { $0.key < $1.key }) {
      print("differing from LiteLLM: \(count) calls, \(why)")
    }
    print("not priced by LiteLLM: \(unpriced) calls")
    #expect(compared.values.reduce(0, +) >= 4_000)
    let least = [
      "characters": 10, "seconds": 20, "pictures": 20, "sized pictures": 60, "queries": 5,
      "sessions": 300, "searches": 600, "batch": 250, "batch cached": 200, "priority": 150,
    ]
    for (kind, count) in least { #expect(compared[kind] ?? 0 >= count, "\(kind)") }
    #expect(unpriced < 20)
    #expect(differences == [])
  }

  /// Ours is rounded up to a nanodollar; theirs is a sum of floating-point numbers. A rate by the
  /// pixel may be rounded up, too, by less than a nanodollar for a million.
  private static func isSame(_ ours: Money, _ theirs: Decimal, _ one: Case) -> Bool {
    let slack = max(Decimal(sign: .plus, exponent: -3, significand: 1), theirs / 1_000_000_000)
    let difference = Decimal(ours.nanodollars) - theirs
    let rounding = Decimal(one.usage["pixels_out"] ?? 0) / 1_000_000
    return difference >= -slack && difference <= 1 + slack + rounding
  }

  /// Why the two may differ, and what theirs is then.
  private static func reasons(
    _ book: String, _ model: String, _ usage: Usage, _ tier: String?, at price: ModelPrice
  ) -> [String: Money] {
    func cost(_ usage: Usage, _ tier: String?) -> Money {
      price.cost(of: usage, serviceTier: tier) ?? .zero
    }
    var reasons: [String: Money] = [:]
    let batch = tier == ModelPrice.batchTier ? price.serviceTiers[ModelPrice.batchTier] : nil
    if usage[.imagesOut] > 0, price.base[.imagesIn] != nil {
      var seen = Usage(source: .reported)
      seen[.imagesIn] = usage[.imagesOut]
      reasons["the price of a picture that goes in"] = cost(seen, tier)
    }
    switch book {
    // Its calculator for this provider does not look at the service tier that the table prices.
    case "fireworks" where tier == "priority":
      reasons["no service tier for Fireworks"] = cost(usage, nil)
    // Two rows name the model, one of them at no price: the dearer is taken.
    case "gemini" where model.hasSuffix("gemini-exp-1206"): reasons["two rows"] = .zero
    // It knows these under another provider's name only.
    case "openai" where batch != nil && model.hasSuffix("-002"):
      reasons["no batches of text completions"] = .zero
    // The provider says that cached tokens cost in a batch what they cost elsewhere; theirs are as
    // dear as fresh ones where the table has no price of them in a batch.
    case "gemini" where batch != nil && usage.cacheRead > 0:
      var fresh = usage
      (fresh.inputUncached, fresh.cacheRead) = (usage.inputUncached + usage.cacheRead, 0)
      reasons["cached tokens in a batch of Gemini's"] = cost(fresh, tier)
    // A batch whose output has no price: ours is the list's, theirs half of it.
    case "azure" where batch != nil && batch?[.outputText] == price.base[.outputText]:
      var (input, output) = (usage, Usage(source: .reported))
      (input.outputText, output.outputText) = (0, usage.outputText)
      let half = Money(nanodollars: (cost(output, nil).nanodollars + 1) / 2)
      reasons["half the list's price for a batch's output"] =
        cost(input, tier).addingClamped(half)
    default: break
    }
    return reasons
  }

  /// Why the two differ; nil: they may not.
  private static func explanation(_ call: Call, _ theirs: Decimal) -> String? {
    // The provider halves its prices in hours that the table of facts does not tell: ours are those
    // of the other hours, whatever the hour.
    if call.asked.provider == "deepseek", isSame(call.ours, theirs * 2, call.asked) {
      return "off-peak hours"
    }
    return call.reasons.first { isSame($0.value, theirs, call.asked) }?.key
  }

  /// Every call that is compared.
  private static func calls() throws -> [Call] {
    let thresholds = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "thresholds")
    var calls: [Call] = []
    for (book, provider, prefix) in providers {
      let prices = try Self.book(book, in: thresholds)
      for model in prices.models {
        let price = try #require(prices.price(model: model, at: now))
        let isByTokens = price.base[.inputUncached] != nil && price.base[.outputText] != nil
        for (kind, usage, tier) in units(model, price) + (isByTokens ? usages(price) : []) {
          var asked = Case(
            provider: provider, model: prefix + model, tier: tier, usage: counts(usage), kind: kind)
          if let picture = PictureName(model) {
            asked.model = prefix + picture.model
            asked.quality = picture.quality
            asked.size = "\(picture.width)x\(picture.height)"
          }
          asked.pictures = kind.hasSuffix("pictures") ? 3 : nil
          calls.append(
            Call(
              asked: asked, ours: try #require(price.cost(of: usage, serviceTier: tier)),
              reasons: reasons(book, model, usage, tier, at: price)))
        }
      }
    }
    return calls
  }

  private static func book(_ name: String, in thresholds: URL) throws -> PriceBook {
    let log = FaultLog()
    let book = PriceFolder(path: thresholds.appending(path: "prices").path)
      .read(name, log: log).book()
    #expect(log.faults.isEmpty)
    return book
  }

  private static func counts(_ usage: Usage) -> [String: Int64] {
    var counts: [String: Int64] = [:]
    usage.forEachCount { counts[$0.name] = $1 }
    return counts
  }

  /// Usages in units that are no tokens, of which their calculator counts one kind a call.
  private static func units(
    _ model: String, _ price: ModelPrice
  ) -> [(kind: String, usage: Usage, tier: String?)] {
    func usage(_ bucket: UsageBucket, _ count: Int64) -> Usage {
      var usage = Usage(source: .reported)
      usage[bucket] = count
      return usage
    }
    var all: [(String, Usage, String?)] = []
    func add(_ kind: String, _ bucket: UsageBucket, _ count: Int64) {
      if price.base[bucket] != nil { all.append((kind, usage(bucket, count), nil)) }
    }
    let picture = PictureName(model)
    let kind = picture == nil ? "pictures" : "sized pictures"
    add(kind, .imagesOut, 3)
    add(kind, .pixelsOut, 3 * (picture?.pixels ?? 1_024 * 1_024))
    // A model of tokens has sound and characters beside them, which their calculator takes alone.
    if !price.isBilledByTokens || !price.chargesInput {
      add("characters", .charactersIn, 1_237)
      add("seconds", .audioInMilliseconds, 61_000)
    }
    add("queries", .queries, 7)
    add("sessions", .codeSessions, 3)
    for bucket in [UsageBucket.webSearches, .webSearchesLow, .webSearchesHigh] {
      add("searches", bucket, 7)
    }
    return all
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
    for tier in ["flex", "priority", "batch"] where price.serviceTiers[tier] != nil {
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
