// A team's own labels become a classifier, by commands alone, and a shift of it is found.

import Foundation
import TestSupport
import Testing

@Suite struct TrainedClassifierTests {
  /// Answers of a support bot, two topics, each made of a few phrases.
  private func answer(_ topic: String, _ number: Int) -> String {
    let openings = ["Of course.", "Gladly!", "Thanks for asking.", "Let me see."]
    let closings = ["Anything else?", "Have a nice day.", "Best regards."]
    let middles = [
      "refund": [
        "Your money is on its way back.", "We refund what you paid.", "The return is paid.",
      ],
      "delivery": ["The courier comes at noon.", "Your parcel is late.", "The parcel left Emden."],
    ]
    let middle = middles[topic] ?? []
    return [
      openings[number % openings.count], middle[number % middle.count],
      closings[number % closings.count], "(\(number))",
    ].joined(separator: " ")
  }

  /// Imports answers of which `refunds` in ten are about refunds.
  private func importAnswers(
    _ set: String, count: Int, refunds: Int, areLabelled: Bool, into installation: TestInstallation
  ) async throws {
    let lines = try (0..<count).map { number in
      let topic = number % 10 < refunds ? "refund" : "delivery"
      var row = ["answer": answer(topic, number), "set": set]
      if areLabelled { row["topic"] = topic }
      let line = try JSONSerialization.data(withJSONObject: row, options: .sortedKeys)
      return String(decoding: line, as: UTF8.self)
    }
    try installation.write("\(set).jsonl", lines.joined(separator: "\n") + "\n")
    let mapping = ["--map", "output=answer", "--map", "tag.set=set"]
    let result = try await installation.start(
      ["samples", "import", "\(set).jsonl", "--app", "support"] + mapping
        + (areLabelled ? ["--map", "label.topic=topic"] : [])
    ).wait(seconds: 60)
    try #require(result.status == 0, "\(result.errors)")
  }

  @Test func whatATeamLabelledBecomesAClassifierThatFindsAShift() async throws {
    let installation = try TestInstallation(apps: ["support": "timeZone: UTC"])
    try await importAnswers(
      "labelled", count: 120, refunds: 5, areLabelled: true, into: installation)
    let trained = try await installation.succeed("classifier", "train", "support", "topic")
    #expect(trained.contains("120 samples (120 different) in 2 labels"), "\(trained)")
    let path = "thresholds/classifiers/topic.json"
    let file = installation.url.appending(path: path)
    let bytes = try Data(contentsOf: file)
    // The same samples give the same file, which is not written over by accident.
    let again = try await installation.run("classifier", "train", "support", "topic")
    #expect(again.status == 65)
    #expect(again.errors.contains("--replace"), "\(again.errors)")
    try await installation.succeed("classifier", "train", "support", "topic", "--replace")
    #expect(try Data(contentsOf: file) == bytes)

    try installation.write(
      "thresholds/apps/support.yaml",
      "classifiers: [{ name: topic, kind: trained, file: topic, probabilityMin: 0.5 }]")
    try await importAnswers("good", count: 200, refunds: 5, areLabelled: false, into: installation)
    try await importAnswers("new", count: 200, refunds: 9, areLabelled: false, into: installation)
    let tried = try await installation.succeed(
      "classifier", "try", "support", "--where", "tag.set=good")
    #expect(tried.contains("delivery") && tried.contains("50.0 %"), "\(tried)")
    try await installation.succeed(
      "baseline", "pin", "support", "good", "--where", "tag.set=good", "--reason", "as launched")
    let text = try await installation.succeed(
      "drift", "support", "--against", "good", "--where", "tag.set=new", "--json")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let topic = try #require((report["classifiers"] as? [[String: Any]])?.first)
    #expect(topic["verdict"] as? String == "drifted", "\(text)")

    try installation.write(path, String(decoding: bytes.prefix(bytes.count / 2), as: UTF8.self))
    let broken = try await installation.run("check")
    #expect(broken.status == 64)
    #expect(broken.errors.contains("apps/support.yaml:1:"), "\(broken.errors)")
    #expect(broken.errors.contains("topic.json cannot be read"), "\(broken.errors)")
  }

  @Test func aColumnThatIsNotThereIsNamedBesideThoseThatAre() async throws {
    let installation = try TestInstallation(apps: ["support": "timeZone: UTC"])
    try await importAnswers("few", count: 12, refunds: 5, areLabelled: true, into: installation)
    let misspelt = try await installation.run("classifier", "train", "support", "topik")
    #expect(misspelt.status == 65)
    #expect(misspelt.errors.contains("Label columns that its samples have: topic"))
    let few = try await installation.run("classifier", "train", "support", "topic")
    #expect(few.status == 65)
    #expect(few.errors.contains("needs two labels with 8 samples each"), "\(few.errors)")
  }
}
