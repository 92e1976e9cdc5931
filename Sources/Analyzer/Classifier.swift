// A classifier gives an output one label out of few. Its version is a hash of what was declared and
// of the rules that the program holds, so that a changed instrument can never pass for a changed
// model.

import Crypto
import Drift
import Foundation

/// Gives each sample one label.
public protocol Classifier: Sendable {
  /// Its name in the app's policy.
  var name: String { get }
  /// Hash of everything that decides a label; 16 hexadecimal digits.
  var version: String { get }
  /// The label of a sample: 1 to 120 characters. Depends on the sample alone.
  func label(_ sample: SampleView) -> String
}

/// A classifier as a policy declares it.
public struct ClassifierDeclaration: Hashable, Sendable, Codable {
  public enum Match: String, Hashable, Sendable, Codable { case first, last }

  public enum Kind: Hashable, Sendable, Codable {
    /// The text of a capture group, or `none` where the pattern does not occur.
    case regex(pattern: String, group: Int, match: Match, isLowercased: Bool, none: String)
    /// The value at a JSON pointer (RFC 6901) of the output.
    case pointer(path: String)
    /// "equal" or "different": another classifier's label against the sample's reference.
    case equals(classifier: String)
    /// An imported column.
    case field(name: String)
    /// "refusal" or "answer" by built-in rules; a refusal in part counts as `partial` says.
    case refusal(partial: String)
  }

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

/// Compiles declarations into classifiers, in the order declared.
///
/// - Throws: `AnalyzerFault` that names the classifier and every fault found.
public func makeClassifiers(
  _ declarations: [ClassifierDeclaration]
) throws(AnalyzerFault) -> [any Classifier] {
  var made: [String: any Classifier] = [:]
  var faults: [String] = []
  // An `equals` needs the classifier that it reads, so those come second.
  let isEquals: (ClassifierDeclaration) -> Bool = {
    if case .equals = $0.kind { true } else { false }
  }
  let ordered = declarations.filter { !isEquals($0) } + declarations.filter(isEquals)
  for declaration in ordered {
    do {
      if made[declaration.name] != nil { throw DeclarationFault("is declared twice") }
      if declaration.name.isEmpty { throw DeclarationFault("has no name") }
      made[declaration.name] = try make(declaration, others: made)
    } catch let fault as DeclarationFault {
      faults.append("classifier '\(declaration.name)' \(fault.reason)")
    } catch {
      faults.append("classifier '\(declaration.name)': \(error)")
    }
  }
  if !faults.isEmpty {
    throw AnalyzerFault(
      .classifier, faults.joined(separator: "; "),
      hint: "Correct the classifiers of the app's policy.")
  }
  return declarations.compactMap { made[$0.name] }
}

private struct DeclarationFault: Error {
  var reason: String
  init(_ reason: String) { self.reason = reason }
}

private func make(
  _ declaration: ClassifierDeclaration, others: [String: any Classifier]
) throws -> any Classifier {
  let name = declaration.name
  switch declaration.kind {
  case .regex(let pattern, let group, let match, let isLowercased, let none):
    let regex: LinearRegex
    do { regex = try LinearRegex(pattern) } catch {
      throw DeclarationFault("has a pattern that cannot be used: \(error)")
    }
    guard (0...regex.groupCount).contains(group) else {
      throw DeclarationFault("asks for group \(group) of \(regex.groupCount) in its pattern")
    }
    guard !none.isEmpty else { throw DeclarationFault("has an empty label for 'none'") }
    return RegexClassifier(
      name: name, version: version(of: declaration), regex: regex, group: group,
      which: match == .first ? .first : .last, isLowercased: isLowercased, none: none)
  case .pointer(let path):
    guard let pointer = JSONPointer(path) else {
      throw DeclarationFault("has a pointer '\(path)' that is neither empty nor begins with '/'")
    }
    return PointerClassifier(name: name, version: version(of: declaration), pointer: pointer)
  case .equals(let other):
    guard let inner = others[other] else {
      throw DeclarationFault("reads a classifier '\(other)' that is not declared")
    }
    if inner is EqualsClassifier {
      throw DeclarationFault("reads '\(other)', which is itself an 'equals'")
    }
    let ownVersion = version(of: declaration, inner.version)
    return EqualsClassifier(name: name, version: ownVersion, inner: inner)
  case .field(let field):
    guard !field.isEmpty else { throw DeclarationFault("names no field") }
    return FieldClassifier(name: name, version: version(of: declaration), field: field)
  case .refusal(let partial):
    guard partial == RefusalClassifier.refusal || partial == RefusalClassifier.answer else {
      throw DeclarationFault("counts partial refusals as '\(partial)', not 'refusal' or 'answer'")
    }
    return RefusalClassifier(
      name: name, version: version(of: declaration, RefusalRules.fingerprint),
      partialLabel: partial)
  }
}

/// Raised by hand when code, not a declaration, changes what a label would be.
private let labellingRevision = "1"

private func version(of declaration: ClassifierDeclaration, _ more: String = "") -> String {
  // Length-prefixed parts: no two declarations can run together into the same text. The name is no
  // part of it, since renaming changes no label.
  var parts: [String]
  switch declaration.kind {
  case .regex(let pattern, let group, let match, let isLowercased, let none):
    parts = ["regex", pattern, "\(group)", match.rawValue, "\(isLowercased)", none]
  case .pointer(let path): parts = ["pointer", path]
  case .equals: parts = ["equals"]
  case .field(let field): parts = ["field", field]
  case .refusal(let partial): parts = ["refusal", partial]
  }
  parts += [more, labellingRevision]
  return hexDigest(parts)
}

/// The first 16 hexadecimal digits of SHA-256 over length-prefixed parts.
func hexDigest(_ parts: [String]) -> String {
  let bytes = parts.flatMap { part in Array("\(part.utf8.count):".utf8) + Array(part.utf8) }
  return SHA256.hash(data: Data(bytes)).prefix(8).map { byte in
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }.joined()
}

/// A label as it is stored: one line, trimmed, of bounded length, never empty.
func tidyLabel(_ text: some StringProtocol) -> String {
  let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  if line.isEmpty { return SpecialLabel.missing.rawValue }
  // An output that spells a reserved label must not pass for a failed call.
  if SpecialLabel.isSpecial(line) { return "\"\(line)\"" }
  return line.count <= 120 ? line : String(line.prefix(119)) + "…"
}
