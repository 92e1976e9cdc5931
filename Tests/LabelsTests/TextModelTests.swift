// Training: the same examples give the same file, the figures that it states are true, and a file
// that is none is refused.

import Drift
import Foundation
import TestSupport
import Testing

@testable import Labels

@Suite struct TextModelTests {
  private static let origin = TextModel.Provenance(
    app: "support", column: "intent", filter: [], since: "2026-11-01T00:00:00.000Z",
    until: "2026-11-20T00:00:00.000Z")

  /// Texts of three kinds that share most of their words.
  private static func examples(_ count: Int, seed: UInt64 = 7) -> [LabelledText] {
    var random = Xoshiro256(seed: seed)
    let kinds = [
      "refund": ["money", "refund", "return", "paid"], "delivery": ["parcel", "courier", "late"],
      "account": ["password", "login", "email", "locked"],
    ]
    let shared = ["please", "my", "the", "order", "today", "was", "help", "with", "and", "it"]
    let names = kinds.keys.sorted()
    return (0..<count).map { index in
      let name = names[index % names.count]
      var words = (0..<8).map { _ in shared.randomElement(using: &random) ?? "" }
      words.insert((kinds[name] ?? []).randomElement(using: &random) ?? "", at: 4)
      return LabelledText(text: words.joined(separator: " "), label: name)
    }
  }

  private static func model(_ examples: [LabelledText], name: String = "intent") throws -> TextModel
  {
    try TextTrainer(examples).model(name: name, provenance: origin)
  }

  @Test func aModelFindsWhatItLearnt() throws {
    let model = try Self.model(Self.examples(150))
    #expect(model.labels == ["account", "delivery", "refund"])
    #expect(model.classify("the courier was late").label == "delivery")
    #expect(model.classify("I cannot log in: password locked").label == "account")
    #expect(model.quality.accuracy > 0.95)
    #expect(abs(model.quality.accuracyOfCommonest - 1.0 / 3) < 1e-9)
    let unseen = Self.examples(300, seed: 8)
    let right = unseen.filter { model.classify($0.text).label == $0.label }.count
    #expect(Double(right) > 0.95 * 300)
  }

  @Test func theOrderOfTheExamplesChangesNothing() throws {
    let examples = Self.examples(60)
    let one = try JSONEncoder.sorted.encode(Self.model(examples))
    let two = try JSONEncoder.sorted.encode(Self.model(examples.reversed()))
    #expect(one == two)
  }

  @Test func aFileIsReadBackAsItWas() throws {
    let model = try Self.model(Self.examples(60))
    let read = try JSONDecoder().decode(TextModel.self, from: JSONEncoder().encode(model))
    #expect(read == model)
    #expect(read.digest == model.digest)
    for text in ["the courier was late", "", "Ω", "money money money"] {
      #expect(read.probabilities(of: text) == model.probabilities(of: text))
    }
  }

  /// Noise that nobody can learn must be stated as such: neither accuracy nor confidence.
  @Test func labelsThatMeanNothingAreFoundOut() throws {
    var random = Xoshiro256(seed: 3)
    let texts = Self.examples(200).map {
      LabelledText(text: $0.text, label: Bool.random(using: &random) ? "heads" : "tails")
    }
    let model = try Self.model(texts)
    #expect(model.quality.accuracy < 0.65)
    #expect(model.quality.calibrationError < 0.15)
    let confidence = texts.map { model.classify($0.text).probability }.reduce(0, +) / 200
    #expect(confidence < 0.8)
  }

  /// Answers of templates come many times over: none may be judged by a model that has seen it.
  @Test func copiesOfATextAreNotTakenForUnseenOnes() throws {
    var random = Xoshiro256(seed: 5)
    let noise = Self.examples(60).map {
      LabelledText(text: $0.text, label: Bool.random(using: &random) ? "heads" : "tails")
    }
    let model = try Self.model(noise.flatMap { Array(repeating: $0, count: 5) })
    #expect(model.quality.examples == 300)
    #expect(model.quality.texts == 60)
    #expect(model.quality.accuracy < 0.75)
  }

  @Test func rareLabelsAreLeftOutAndTooFewRefused() throws {
    let rare = [LabelledText(text: "thanks", label: "praise")]
    let trainer = try TextTrainer(Self.examples(60) + rare)
    #expect(trainer.leftOut == ["praise"])
    #expect(throws: TextTrainer.TooFewLabels(kept: [])) { try TextTrainer(rare) }
    let alone = (0..<20).map { LabelledText(text: "thanks \($0)", label: "praise") }
    #expect(throws: TextTrainer.TooFewLabels(kept: ["praise"])) { try TextTrainer(alone) }
  }

  @Test func belowTheAskedProbabilityTheLabelIsUnsure() throws {
    let model = try Self.model(Self.examples(150))
    func label(_ output: String, atLeast: Double) throws -> String {
      let kind = ClassifierDeclaration.Kind.trained(
        model: model, probabilityMin: atLeast, unsure: "unsure")
      return try makeClassifiers([ClassifierDeclaration(name: "intent", kind: kind)])[0]
        .label(SampleView(output: output))
    }
    #expect(try label("the courier was late", atLeast: 0.5) == "delivery")
    #expect(try label("a poem about autumn", atLeast: 0.9) == "unsure")
    #expect(try label("a poem about autumn", atLeast: 0) != "unsure")
    #expect(try label("", atLeast: 0) == "__error__")
  }

  @Test func anotherModelIsAnotherVersion() throws {
    func version(_ model: TextModel, _ least: Double = 0) throws -> String {
      let kind = ClassifierDeclaration.Kind.trained(
        model: model, probabilityMin: least, unsure: "unsure")
      return try makeClassifiers([ClassifierDeclaration(name: "i", kind: kind)])[0].version
    }
    let one = try Self.model(Self.examples(60))
    let renamed = try Self.model(Self.examples(60), name: "other")
    let other = try Self.model(Self.examples(60, seed: 9))
    #expect(try version(one) == version(renamed))
    #expect(try version(one) != version(other))
    #expect(try version(one) != version(one, 0.5))
  }

  @Test(arguments: [
    ("format", "2", "its format is 2"), ("features", "99", "train it anew"),
    ("labels", #"["b","a","c"]"#, "sorted"), ("labels", #"["a"]"#, "two or more"),
    ("temperature", "0", "not above 0"), ("biases", "[1]", "one finite bias"),
    ("buckets", #""AAAAAA==""#, "not one for each"), ("weights", #""AAAA""#, "not one for each"),
    ("buckets", #""!""#, "not ascending"),
  ])
  func aFileThatIsNoneIsRefused(_ key: String, _ value: String, _ why: String) throws {
    let bytes = try JSONEncoder().encode(Self.model(Self.examples(30)))
    var form = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    form[key] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
    let changed = try JSONSerialization.data(withJSONObject: form)
    do {
      _ = try JSONDecoder().decode(TextModel.self, from: changed)
      Issue.record("\(key) = \(value) was taken")
    } catch DecodingError.dataCorrupted(let context) {
      #expect(context.debugDescription.contains(why), "\(context.debugDescription)")
    }
  }

  @Test func featuresHaveLengthOneInWhateverText() {
    for text in ["a", "two words", String(repeating: "x", count: 10_000), "你好，世界", "a a a a"] {
      let features = TextFeatures(of: text).features
      let length = features.reduce(0) { $0 + $1.value * $1.value }
      #expect(abs(length - 1) < 1e-4, "\(text.prefix(10))")
      #expect(zip(features, features.dropFirst()).allSatisfy { $0.bucket < $1.bucket })
    }
    #expect(TextFeatures(of: " … ").features.isEmpty)
  }

  /// Twelve of the intents, all of their training examples: people's own short sentences.
  @Test(.enabled(if: ReferenceData.isPresent, "needs LEEWAY_REFERENCE_DATA"))
  func realIntentsAreLearntAndTheFiguresStatedAreTrue() throws {
    let train = try ClincUtterances.load("train")
    let test = try ClincUtterances.load("test")
    let intents = Set(
      Set(train.map(\.label)).sorted().enumerated().filter { $0.0 % 13 == 0 }.map(\.1))
    #expect(intents.count == 12)
    let model = try Self.model(train.filter { intents.contains($0.label) })
    let asked = test.filter { intents.contains($0.label) }
    let right = asked.filter { model.classify($0.text).label == $0.label }.count
    let accuracy = Double(right) / Double(asked.count)
    #expect(accuracy > 0.95)
    #expect(abs(accuracy - model.quality.accuracy) < 0.03)
    let stated = asked.map { model.classify($0.text).probability }.reduce(0, +)
    #expect(abs(stated - Double(right)) / Double(asked.count) < 0.04)
  }
}

extension JSONEncoder {
  fileprivate static var sorted: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return encoder
  }
}
