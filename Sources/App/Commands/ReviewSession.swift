// Labelling at a terminal, or from a pipe: an output is shown, a line is read.

import Analyzer
import Drift
import Foundation
import Labels
import Metering
import Store

/// One sitting over a round's items.
struct ReviewSession {
  private let items: [ReviewItem]
  /// Numbered from 1 in what is shown; grows by what persons write.
  private var labels: [String]

  init(items: [ReviewItem], labels: [String]) {
    self.items = items
    let given = items.compactMap { item in
      if case .label(let label) = item.answer { label } else { nil }
    }
    self.labels = labels + Set(given).subtracting(labels).sorted()
  }

  /// What a line means.
  enum Reply: Hashable {
    case label(String)
    case skip
    case quit
    /// The line is none of these; what to say.
    case unclear(String)
  }

  /// Reads a line: a label's number, `s`, `q`, or `=` and a label of one's own.
  func read(_ line: String) -> Reply {
    let text = line.trimmingCharacters(in: .whitespaces)
    if text == "s" { return .skip }
    if text == "q" { return .quit }
    if let number = Int(text) {
      guard labels.indices.contains(number - 1) else {
        return .unclear("There is no label \(number); 1 to \(labels.count).")
      }
      return .label(labels[number - 1])
    }
    if text.hasPrefix("="), text.count > 1 {
      let label = tidyLabel(text.dropFirst())
      guard !SpecialLabel.isSpecial(label), !label.hasPrefix("\"__") else {
        return .unclear("'\(label)' is no label for an answer; s skips it.")
      }
      // "= No" is the "no" that is there.
      return .label(labels.first { $0.lowercased() == label.lowercased() } ?? label)
    }
    return .unclear("Write a number, =LABEL for another label, s to skip, or q to stop.")
  }

  /// Shows what is not answered yet, until all is or the person stops.
  mutating func run(reviewer: String, round: Int64, store: StoreDatabase) throws {
    let open = items.filter { $0.answer == nil }
    var done = items.count - open.count
    for item in open {
      guard let sample = try store.sample(id: item.sample) else {
        // Its text is no more: nobody can label it.
        try store.recordReview(
          round: round, sample: item.sample, answer: .skipped, reviewer: "", at: Clock.now())
        done += 1
        continue
      }
      show(sample, number: done + 1)
      guard let answer = ask() else { break }
      try store.recordReview(
        round: round, sample: item.sample, answer: answer, reviewer: reviewer, at: Clock.now())
      done += 1
    }
    Console.line(
      done == items.count
        ? "All \(items.count) are answered: see 'leeway review report'."
        : "\(done) of \(items.count) are answered; the same command goes on with the next.")
  }

  private func show(_ sample: SampleRecord, number: Int) {
    Console.line("\n── \(number) of \(items.count) ──")
    if !sample.input.isEmpty { Console.text("Asked:    ", sample.input, linesMax: 12) }
    Console.text("Answered: ", sample.output, linesMax: 40)
    Console.line(
      labels.enumerated().map { "[\($0 + 1)] \($1)" }.joined(separator: "  ")
        + "  [=] other  [s] skip  [q] stop")
    Console.flush()
  }

  /// - Returns: nil where the person stops, or nothing more comes.
  private mutating func ask() -> ReviewItem.Answer? {
    while let line = readLine() {
      switch read(line) {
      case .skip: return .skipped
      case .quit: return nil
      case .unclear(let text): Console.line(text)
      case .label(let label):
        if !labels.contains(label) { labels.append(label) }
        return .label(label)
      }
      Console.flush()
    }
    return nil
  }
}

/// Findings for people.
enum ReviewText {
  static func show(_ findings: [ReviewFindings]) {
    if findings.count > 1 {
      Console.table(
        ["ROUND", "DRAWN", "CLASSIFIER'S VERSION", "LABELLED", "AGREEMENT", "KAPPA"],
        findings.map { round in
          [
            String(round.round), String(round.drawnAt.prefix(10)), round.version,
            "\(round.labelled) of \(round.drawn)",
            round.health.map { Percent.text($0.agreement) } ?? "",
            round.health.map { kappa($0) } ?? "",
          ]
        }, rightAligned: [0, 3, 4])
      Console.line("")
    }
    guard let last = findings.last else { return }
    Console.line(
      "Round \(last.round) of \(last.app), '\(last.classifier)' version \(last.version): "
        + "\(last.labelled) of \(last.drawn) drawn outputs labelled, \(last.skipped) skipped, "
        + "out of \(last.outputs).")
    guard let health = last.health else { return Console.line("Nothing is labelled yet.") }
    Console.line(
      "Persons and classifier agree on \(Percent.text(health.agreement)) of all outputs; "
        + "kappa \(kappa(health)).")
    Console.table(
      ["LABEL", "CLASSIFIER", "TRUE SHARE", "95 %", "BY", "OF THOSE LABELLED SO, RIGHT"],
      last.labels.map { label in
        [
          label.label, Percent.text(label.predictedShare),
          label.share.map { Percent.text($0.share) } ?? "",
          label.share.map { interval($0.interval) } ?? "", label.share?.method.rawValue ?? "",
          label.checked == 0
            ? "none checked"
            : "\(label.right) of \(label.checked) (\(interval(label.precisionInterval)))",
        ]
      }, rightAligned: [1, 2])
    if !last.unchecked.isEmpty {
      Console.line(
        "Nothing was checked of \(last.unchecked.joined(separator: ", ")): the shares are those "
          + "of the other outputs.")
    }
  }

  private static func interval(_ interval: Interval) -> String {
    String(format: "%.1f … %.1f %%", interval.low * 100, interval.high * 100)
  }

  private static func kappa(_ health: ClassifierHealth) -> String {
    String(
      format: "%.2f (%.2f … %.2f)", health.kappa, health.kappaInterval.low,
      health.kappaInterval.high)
  }
}
