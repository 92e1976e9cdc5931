// A person checks a classifier by commands alone: draw, label in two sittings, report.

import Foundation
import TestSupport
import Testing

@Suite struct ReviewCommandTests {
  @Test func whatAPersonSaysShowsHowFarTheClassifierCanBeBelieved() async throws {
    let installation = try TestInstallation(apps: [
      "support": "classifiers: [{ name: refusal, kind: refusal }]"
    ])
    // Ten refusals in a hundred; half of them are worded so that the rules do not see them.
    let lines = (0..<100).map { number in
      let text =
        number % 20 == 0
        ? "I'm sorry, but I can't help with that. (\(number))"
        : number % 20 == 10 ? "That one stays closed, friend. (\(number))" : "Gladly: \(number)."
      return #"{"answer":"\#(text)"}"#
    }
    try installation.write("log.jsonl", lines.joined(separator: "\n") + "\n")
    try await installation.succeed(
      "samples", "import", "log.jsonl", "--app", "support", "--map", "output=answer")
    let drawn = try await installation.succeed(
      "review", "draw", "support", "refusal", "--count", "100")
    #expect(drawn.contains("Round 1"), "\(drawn)")

    // 1 is "answer", 2 is "refusal": this person says "answer" to the first three, skips one, asks
    // what is unclear, and stops.
    try installation.write("sitting.txt", "1\n1\nwhat?\n1\ns\nq\n1\n1\n")
    let sitting = try await installation.start(
      ["review", "label", "support", "refusal", "--by", "Ada"], input: "sitting.txt"
    ).wait(seconds: 60)
    #expect(sitting.status == 0)
    #expect(sitting.output.contains("[1] answer  [2] refusal"), "\(sitting.output)")
    #expect(sitting.output.contains("s to skip"), "\(sitting.output)")
    #expect(sitting.output.contains("4 of 100 are answered"), "\(sitting.output)")
    let json = try await installation.succeed("review", "report", "support", "refusal", "--json")
    let rounds = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]]
    let round = try #require(rounds?.first)
    #expect(round["labelled"] as? Int == 3)
    #expect(round["skipped"] as? Int == 1)
    #expect(round["outputs"] as? Int == 100)
    let text = try await installation.succeed("review", "report", "support", "refusal")
    #expect(text.contains("3 of 100 drawn outputs labelled, 1 skipped, out of 100"), "\(text)")
  }

  @Test func aClassifierThatIsNotThereIsNamedBesideOneThatIs() async throws {
    let installation = try TestInstallation(apps: [
      "support": "classifiers: [{ name: refusal, kind: refusal }]"
    ])
    let misspelt = try await installation.run("review", "draw", "support", "refusals")
    #expect(misspelt.status == 64)
    #expect(misspelt.errors.contains("did you mean 'refusal'?"), "\(misspelt.errors)")
    let nothing = try await installation.run("review", "report", "support", "refusal")
    #expect(nothing.status == 65)
    #expect(nothing.errors.contains("leeway review draw support refusal"), "\(nothing.errors)")
  }
}
