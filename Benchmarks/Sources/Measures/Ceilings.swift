// The most that Leeway may take, as thresholds/bench.yaml says it, and whether a report keeps it.

import Foundation
import Yams

/// One limit on one figure. Exactly one of `ratio`, `over` and `limit` is set.
public struct Ceiling: Codable, Sendable {
  public var scenario: String
  public var subject: String?
  public var figure: Figure
  /// The subject that `ratio` and `over` compare with; nginx where it is left out.
  public var to: String?
  /// Times the other's figure, round by round; the median counts.
  public var ratio: Double?
  /// More than the other's figure by so much, in the figure's unit.
  public var over: Double?
  /// The figure itself, in its unit.
  public var limit: Double?

  public init(
    scenario: String, subject: String? = nil, figure: Figure, to: String? = nil,
    ratio: Double? = nil, over: Double? = nil, limit: Double? = nil
  ) {
    self.scenario = scenario
    self.subject = subject
    self.figure = figure
    self.to = to
    self.ratio = ratio
    self.over = over
    self.limit = limit
  }

  /// How a report stands to the ceiling.
  public struct Finding: Equatable, Sendable {
    public enum Outcome: String, Equatable, Sendable {
      case kept = "ok"
      case short = "SHORT"
      case missing = "not measured"
    }

    public var outcome: Outcome
    /// A line for people.
    public var text: String
  }

  public func judge(_ report: Report) -> Finding {
    let subject = subject ?? "leeway"
    let other = to ?? "nginx"
    let wanted: Double
    let found: Spread?
    let words: String
    if let ratio {
      wanted = ratio
      found = report.compare(scenario, subject, to: other, figure, /)
      words = "times \(other)'s"
    } else if let over {
      wanted = over
      found = report.compare(scenario, subject, to: other, figure, -)
      words = "more than \(other)'s"
    } else {
      wanted = limit ?? 0
      found = Spread(Array(report.values(scenario, subject, figure).values))
      words = "at most"
    }
    let name = "\(scenario): \(figure.rawValue) of \(subject), \(words)"
    guard let found else {
      return Finding(outcome: .missing, text: "\(name) \(Self.text(wanted))")
    }
    let range = "[\(Self.text(found.min))–\(Self.text(found.max))]"
    return Finding(
      outcome: found.median <= wanted ? .kept : .short,
      text: "\(name) \(Self.text(wanted)): \(Self.text(found.median)) \(range)")
  }

  private static func text(_ value: Double) -> String { String(format: "%.2f", value) }
}

/// The file of ceilings.
public struct Ceilings: Codable, Sendable {
  public var ceilings: [Ceiling]

  /// - Throws: where the text is not the file's format, or a ceiling sets none or several limits.
  public init(yaml: String) throws {
    self = try YAMLDecoder().decode(Ceilings.self, from: yaml)
    for one in ceilings where [one.ratio, one.over, one.limit].compactMap({ $0 }).count != 1 {
      throw CeilingsFault(
        description: "ceiling on \(one.scenario) \(one.figure.rawValue): set one of ratio, over"
          + " and limit")
    }
  }
}

public struct CeilingsFault: Error, CustomStringConvertible {
  public let description: String
}
