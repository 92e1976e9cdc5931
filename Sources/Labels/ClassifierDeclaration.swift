// A classifier as a policy declares it: what it reads, and the rules by which it names that.

import Drift

/// A classifier as a policy declares it.
public struct ClassifierDeclaration: Hashable, Sendable {
  public enum Match: String, Hashable, Sendable { case first, last }

  public enum Kind: Hashable, Sendable {
    /// The text of a capture group, or `none` where the pattern does not occur.
    case regex(pattern: String, group: Int, match: Match, isLowercased: Bool, none: String)
    /// The value at a JSON pointer (RFC 6901) of the output.
    case pointer(path: String)
    /// The label of the first rule that holds, or `none`.
    case keywords(rules: [KeywordRule], none: String)
    /// "equal" or "different": another classifier's label against the sample's reference.
    case equals(classifier: String)
    /// An imported column.
    case field(name: String)
    /// "refusal" or "answer" by built-in rules; a refusal in part counts as `partial` says.
    case refusal(partial: String)
    /// The first tool that the answer calls, or all of them, or `none`.
    case tool(isEvery: Bool, none: String)
    /// Why the answer ended, in words that are the same for every provider.
    case finish
    /// "complete", "truncated" or "empty".
    case completeness
    /// "json", "fenced json", "code", "markdown" or "plain".
    case format
    /// An ISO 639-1 code, or "undetermined".
    case language
    /// The band that the output's length falls into.
    case length(unit: LengthUnit, bands: Bands)
    /// The band that the call's duration in milliseconds falls into.
    case latency(bands: Bands)
    /// The most probable label by a trained model; `unsure` where that is less probable than asked.
    case trained(model: TextModel, probabilityMin: Double, unsure: String)
  }

  public enum LengthUnit: String, Hashable, Sendable, CaseIterable { case characters, words }

  public var name: String
  public var kind: Kind

  public init(name: String, kind: Kind) {
    self.name = name
    self.kind = kind
  }

  /// - Parameters:
  ///   - group: the capture group whose text is the label; 0 is the whole match.
  ///   - none: the label where the pattern does not occur.
  public static func regex(
    name: String, pattern: String, group: Int = 1, match: Match = .first,
    isLowercased: Bool = false, none: String = SpecialLabel.missing.rawValue
  ) -> Self {
    Self(
      name: name,
      kind: .regex(
        pattern: pattern, group: group, match: match, isLowercased: isLowercased, none: none))
  }

  public static func pointer(name: String, path: String) -> Self {
    Self(name: name, kind: .pointer(path: path))
  }

  public static func equals(name: String, classifier: String) -> Self {
    Self(name: name, kind: .equals(classifier: classifier))
  }

  public static func field(name: String, field: String) -> Self {
    Self(name: name, kind: .field(name: field))
  }

  /// - Parameter partial: what a refusal in part counts as, "refusal" or "answer".
  public static func refusal(name: String, partial: String = "refusal") -> Self {
    Self(name: name, kind: .refusal(partial: partial))
  }
}

/// Edges that part numbers into bands: under the first, from one to below the next, the last and
/// over.
public struct Bands: Hashable, Sendable {
  /// At least one; each above 0 and above the one before.
  public let edges: [Int64]

  /// - Returns: nil for edges that are none, not above 0, or not ascending.
  public init?(_ edges: [Int64]) {
    guard let first = edges.first, first > 0, zip(edges, edges.dropFirst()).allSatisfy(<) else {
      return nil
    }
    self.edges = edges
  }

  /// "under 10", "10 to 99", "100 and over".
  public func label(of value: Int64) -> String {
    guard let above = edges.firstIndex(where: { value < $0 }) else {
      return "\(edges[edges.count - 1]) and over"
    }
    return above == 0 ? "under \(edges[0])" : "\(edges[above - 1]) to \(edges[above] - 1)"
  }
}

/// Words and phrases, and the label that an output gets where they occur.
public struct KeywordRule: Hashable, Sendable {
  public var label: String
  /// One of these occurs; empty: `all` alone decides.
  public var any: [String]
  /// Each of these occurs.
  public var all: [String]
  /// None of these occurs.
  public var not: [String]

  public init(label: String, any: [String] = [], all: [String] = [], not: [String] = []) {
    self.label = label
    self.any = any
    self.all = all
    self.not = not
  }
}
