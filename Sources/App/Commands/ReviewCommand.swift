// Persons' labels: draw outputs, label them one by one, and see what that says of the classifier.

import Analyzer
import ArgumentParser
import Drift
import Foundation
import Metering
import Store

struct ReviewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "review",
    abstract: "Check a classifier's labels by hand, on outputs that are drawn for it.",
    discussion: """
      leeway review draw support refusal --since 7d     draws 60 outputs, some of every label
      leeway review label support refusal --by Ada      shows them one by one
      leeway review report support refusal              agreement, and the true shares
      """,
    subcommands: [Draw.self, Label.self, Report.self])

  /// The app and the classifier that is checked.
  struct Subject: ParsableArguments {
    @OptionGroup var policy: PolicyOptions
    @Argument(help: "The app.") var app: String
    @Argument(help: "The classifier.") var classifier: String

    /// The app's settings, where it has the classifier.
    func settings() throws -> (Settings, AppSettings) {
      let settings = try policy.load()
      let settingsOfApp = try policy.app(app, in: settings)
      let names = settingsOfApp.classifiers.map(\.name)
      guard names.contains(classifier) else {
        throw ValidationError(
          "app '\(app)' has no classifier '\(classifier)': "
            + NearestName.advice(for: classifier, among: names))
      }
      return (settings, settingsOfApp)
    }
  }

  struct Draw: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Draw outputs at random: at least some of every label, more where it was wrong.",
      discussion: "Example:  leeway review draw support refusal --since 7d --count 60")

    @OptionGroup var subject: Subject
    @OptionGroup var period: PeriodOptions
    @Option(help: "How many outputs; 60 tell a share to some ten points.") var count = 60

    func validate() throws {
      guard (1...100_000).contains(count) else {
        throw ValidationError("--count is 1 to 100000.")
      }
    }

    func run() throws {
      let (settings, app) = try subject.settings()
      let now = Clock.now()
      try reportingFaults {
        let store = try Installation.openStore(settings.gateway)
        let classifiers = try app.driftPolicy(hasMail: false).makeClassifiers()
        guard let classifier = classifiers.first(where: { $0.name == subject.classifier }) else {
          return
        }
        let span = SampleSpan(
          app: subject.app, filter: try period.filter(), since: try period.start(at: now),
          until: try period.end(at: now))
        let draw = try ReviewDraw(
          of: span, by: classifier, conditions: period.conditions, count: Int64(count), at: now,
          in: store)
        let round = try store.insertReview(draw.round, items: draw.items)
        let drawn = Dictionary(grouping: draw.items, by: \.predicted).mapValues(\.count)
        Console.table(
          ["LABEL GIVEN", "OUTPUTS", "DRAWN"],
          draw.round.population.keys.sorted().map {
            [$0, String(draw.round.population[$0] ?? 0), String(drawn[$0] ?? 0)]
          }, rightAligned: [1, 2])
        Console.line(
          "Round \(round): label them with 'leeway review label \(subject.app) "
            + "\(subject.classifier) --by NAME'.")
      }
    }
  }

  struct Label: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Label the drawn outputs, one by one; what the classifier said is not shown.",
      discussion: "Example:  leeway review label support refusal --by Ada")

    @OptionGroup var subject: Subject
    @Option(help: "Your name, kept beside your labels.") var by: String

    func validate() throws {
      guard by.contains(where: { !$0.isWhitespace }) else {
        throw ValidationError("--by needs a name.")
      }
    }

    func run() throws {
      let (settings, _) = try subject.settings()
      try reportingFaults {
        let store = try Installation.openStore(settings.gateway)
        let rounds = try store.reviews(app: subject.app, classifier: subject.classifier)
        guard let round = rounds.last, let id = round.id else {
          return Console.line(
            "Nothing is drawn: 'leeway review draw \(subject.app) \(subject.classifier)'.")
        }
        var session = ReviewSession(
          items: try store.reviewItems(round: id), labels: round.population.keys.sorted())
        try session.run(reviewer: by, round: id, store: store)
      }
    }
  }

  struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "How far the classifier agrees with persons, and what the shares are by both.",
      discussion: "Example:  leeway review report support refusal --json")

    @OptionGroup var subject: Subject
    @Flag(help: "Print JSON: every round, the oldest first.") var json = false

    func run() throws {
      let settings = try subject.policy.load()
      _ = try subject.policy.app(subject.app, in: settings)
      try reportingFaults {
        let store = try Installation.openStore(settings.gateway)
        let findings = try reviewFindings(
          app: subject.app, classifier: subject.classifier, in: store)
        if json { return try Console.json(findings) }
        ReviewText.show(findings)
      }
    }
  }
}
