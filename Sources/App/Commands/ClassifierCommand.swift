// Classifiers: train one from labelled samples, look at what was trained, and try an app's on the
// samples that there are.

import Analyzer
import ArgumentParser
import Drift
import Foundation
import Labels
import Metering
import Store

struct ClassifierCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classifier", abstract: "Train classifiers, and try an app's on its samples.",
    subcommands: [Train.self, Show.self, Try.self])

  struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Train a classifier on samples that somebody labelled.",
      discussion: """
        Example:  leeway samples import labelled.csv --app support --map output=answer \\
                    --map label.intent=intent
                  leeway classifier train support intent
        The model becomes thresholds/classifiers/NAME.json, to be reviewed like code; an app uses it
        with  - { name: intent, kind: trained, file: intent }. The same samples give the same file.
        """)

    @OptionGroup var policy: PolicyOptions
    @Argument(help: "The app whose samples are labelled.") var app: String
    @Argument(help: "The classifier's name.") var name: String
    @Option(help: "The label column of the samples; the classifier's name where left out.")
    var column: String?
    @OptionGroup var period: PeriodOptions
    @Flag(help: "Replace a trained classifier of this name.") var replace = false

    func run() throws {
      let settings = try policy.load()
      _ = try policy.app(app, in: settings)
      let now = Clock.now()
      let column = column ?? name
      try reportingFaults {
        let store = try Installation.openStore(settings.gateway)
        let span = SampleSpan(
          app: app, filter: try period.filter(), since: try period.start(at: now),
          until: try period.end(at: now))
        let examples = try LabelledSamples(of: span, column: column, in: store)
        let trainer = try examples.trainer()
        let progress = ProgressLine()
        let model = trainer.model(
          name: name, provenance: examples.provenance(conditions: period.conditions)
        ) { progress.show("training", Int($0 * 100), of: 100) }
        progress.end()
        let folder = TextModelFolder(path: policy.thresholds + "/classifiers")
        try folder.save(model, replaces: replace)
        ModelReport.print(model)
        if !trainer.leftOut.isEmpty {
          Console.error(
            "Left out, with fewer than \(TextTrainer.examplesMin) samples: "
              + trainer.leftOut.joined(separator: ", "))
        }
        Console.line("Written to \(folder.file(name)).")
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What a trained classifier was trained on, and how good it is.",
      discussion: "Example:  leeway classifier show intent")

    @OptionGroup var policy: PolicyOptions
    @Argument(help: "The classifier's name.") var name: String

    func run() throws {
      try reportingFaults {
        ModelReport.print(
          try TextModelFolder(path: policy.thresholds + "/classifiers").load(name))
      }
    }
  }

  struct Try: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "try",
      abstract: "What an app's classifiers, as its policy declares them now, make of its samples.",
      discussion: """
        Example:  leeway classifier try support --since 7d
        Nothing is stored: labels of a declaration that is still being written are in nobody's way.
        """)

    @OptionGroup var policy: PolicyOptions
    @Argument(help: "The app.") var app: String
    @Option(help: "Only this classifier.") var only: String?
    @OptionGroup var period: PeriodOptions

    func run() throws {
      let settings = try policy.load()
      let settingsOfApp = try policy.app(app, in: settings)
      let declared = settingsOfApp.classifiers.map(\.name)
      if let only, !declared.contains(only) {
        throw ValidationError(
          "app '\(app)' has no classifier '\(only)': "
            + NearestName.advice(for: only, among: declared))
      }
      let now = Clock.now()
      try reportingFaults {
        let store = try Installation.openStore(settings.gateway)
        let classifiers = try settingsOfApp.driftPolicy(hasMail: false).makeClassifiers()
          .filter { only == nil || $0.name == only }
        let span = SampleSpan(
          app: app, filter: try period.filter(), since: try period.start(at: now),
          until: try period.end(at: now))
        let trial = try LabelTrial(of: span, by: classifiers, in: store)
        guard trial.sampleCount > 0 else {
          return Console.line("App '\(app)' has no samples there; nothing was labelled.")
        }
        Console.table(
          ["CLASSIFIER", "LABEL", "SAMPLES", "SHARE", "FOR EXAMPLE"],
          trial.rows.map { row in
            let share = Double(row.count) / Double(trial.sampleCount)
            return [
              row.classifier, row.label, String(row.count),
              Percent.text(share), Excerpt.line(row.example),
            ]
          }, rightAligned: [2, 3])
        Console.error("\(trial.sampleCount) samples.")
      }
    }
  }
}

/// An output in one line of a table.
enum Excerpt {
  static func line(_ text: String, charactersMax: Int = 60) -> String {
    let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count > charactersMax ? line.prefix(charactersMax - 1) + "…" : line
  }
}

/// A share as people read it in a table.
enum Percent {
  static func text(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}

/// A trained classifier for people.
private enum ModelReport {
  static func print(_ model: TextModel) {
    let origin = model.provenance
    let conditions = origin.filter.isEmpty ? "" : " with \(origin.filter.joined(separator: " "))"
    Console.line(
      "\(model.name), version \(model.digest): column '\(origin.column)' of \(origin.app)"
        + "\(conditions), \(origin.since) to \(origin.until)")
    Console.line(
      String(
        format:
          "%d samples (%d different) in %d labels; of those unseen in training %.1f %% were right "
          + "(always the commonest label: %.1f %%); stated probabilities were off by %.1f points "
          + "on average.",
        model.quality.examples, model.quality.texts, model.labels.count,
        model.quality.accuracy * 100,
        model.quality.accuracyOfCommonest * 100, model.quality.calibrationError * 100))
    Console.table(
      ["LABEL", "SAMPLES", "PRECISION", "RECALL"],
      model.quality.labels.map { label in
        [
          label.label, String(label.examples),
          label.precision.map { Percent.text($0) } ?? "never given",
          Percent.text(label.recall),
        ]
      }, rightAligned: [1, 2, 3])
  }
}
