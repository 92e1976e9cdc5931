// What a report says, once, for all of its forms: the JSON is this value; the page, the Markdown
// and the terminal's table are drawn from it. It holds no time of writing: the same samples and
// thresholds must give the same bytes.

import Drift
import Metering

/// The drift of one app over one period against one baseline.
public struct DriftReport: Hashable, Sendable, Encodable {
  /// Raised when a key changes its meaning or goes.
  public var format = 1
  public var app: String
  public var owner: String
  /// The day reported on, "2026-11-23"; nil for a comparison by hand.
  public var night: String?
  /// The most severe of the classifiers' verdicts.
  public var verdict: String
  /// One sentence for a person.
  public var headline: String
  /// What to do now, a sentence each; commands between backticks.
  public var next: [String]
  public var baseline: Span
  public var period: Span
  /// Comparisons that were judged together.
  public var familySize: Int
  public var falseDiscoveryRate: Double
  public var classifiers: [ClassifierReport]
  /// Shown beside the labels and not judged; none where the baseline's samples are gone.
  public var numbers: [NumberReport]

  /// One side of the comparison.
  public struct Span: Hashable, Sendable, Encodable {
    /// The baseline's name and id; nil for the period.
    public var name: String?
    public var id: String?
    public var reason: String?
    public var pinnedAt: String?
    public var filter: [String]
    /// ISO 8601; nil where the period has no edge and no samples.
    public var since: String?
    public var until: String?
    public var outputs: Int64
    public var timeZone: String
  }
}

/// One classifier's part of a report.
public struct ClassifierReport: Hashable, Sendable, Encodable {
  /// Counts of one label.
  public struct Count: Hashable, Sendable, Encodable {
    public var baseline: Int64
    public var period: Int64
  }

  /// One label's shift. Shares and shifts are 0…1, not percent.
  public struct Shift: Hashable, Sendable, Encodable {
    public var label: String
    public var baselineShare: Double
    public var periodShare: Double
    public var shift: Double
    /// The interval of the shift, all labels of the classifier jointly.
    public var low: Double
    public var high: Double
    /// The shift from which it counts as drift.
    public var limit: Double
    /// Whether the whole interval lies beyond the limit.
    public var isBeyondLimit: Bool
  }

  /// Outputs that had a moved label, redacted and shortened.
  public struct Example: Hashable, Sendable, Encodable {
    public var label: String
    public var baseline: [String]
    public var period: [String]
  }

  /// The most evidence that the continuous alarm had in one hour, and what it alarms at.
  public struct Evidence: Hashable, Sendable, Encodable {
    /// The start of the hour.
    public var at: Timestamp
    public var evidence: Double
    public var threshold: Double

    private enum Key: String, CodingKey {
      case at
      case evidence
      case threshold
    }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: Key.self)
      try values.encode(at.iso8601, forKey: .at)
      try values.encode(evidence, forKey: .evidence)
      try values.encode(threshold, forKey: .threshold)
    }
  }

  public var name: String
  public var version: String
  /// The version that labelled the baseline.
  public var baselineVersion: String
  public var verdict: String
  /// Why this verdict, in one sentence.
  public var explanation: String
  public var baselineOutputs: Int64
  public var periodOutputs: Int64
  /// Share of the period's outputs that have a label, 0…1.
  public var coverage: Double
  public var counts: [String: Count]
  /// Those beyond their limit first, then the largest.
  public var shifts: [Shift]
  public var confidence: Double
  public var psi: Double
  public var psiExpected: Double
  public var psiAdjusted: Double
  public var psiSmoothing: Double
  public var jsDistance: Double
  public var jsDistanceExpected: Double
  public var totalVariation: Double
  public var totalVariationExpected: Double
  public var totalVariationAdjusted: Double
  public var hellinger: Double
  public var cramersV: Double
  public var chiSquare: Double
  public var degreesOfFreedom: Int
  public var pAsymptotic: Double
  /// Natural logarithm, for what is too small for a number; nil where it is 0.
  public var logPAsymptotic: Double?
  public var pValue: Double
  public var pMethod: String
  /// The p-value after Benjamini and Hochberg's correction over the family.
  public var pAdjusted: Double
  /// φ̂, the factor by which days differ more than chance has them; nil where unknown.
  public var wobbleFactor: Double?
  /// "estimated" or "unknown".
  public var wobble: String
  public var baselineBlocks: Int
  /// The smallest shift of a share that this many outputs would show; nil where there are none.
  public var detectableShift: Double?
  /// The seed of the Monte-Carlo test, 16 hexadecimal digits.
  public var seed: String
  /// Labels too rare to stand alone, counted together.
  public var mergedLabels: [String]
  /// Where the shift of the label that moved most came from; only where something was found.
  public var causes: [DriftCause]
  public var examples: [Example]
  /// Of the last two weeks up to the night's end; nil where there was no alarm.
  public var evidence: [Evidence]?
}
