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

/// Declarations that cannot be used.
public struct ClassifierFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// Each classifier that is at fault, and what is wrong with it.
  public var message: String

  public var description: String { message }
}

/// Compiles declarations into classifiers, in the order declared.
///
/// - Throws: `ClassifierFault` that names the classifier and every fault found.
public func makeClassifiers(
  _ declarations: [ClassifierDeclaration]
) throws(ClassifierFault) -> [any Classifier] {
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
  if !faults.isEmpty { throw ClassifierFault(message: faults.joined(separator: "; ")) }
  return declarations.compactMap { made[$0.name] }
}

/// What is wrong with one declaration, as the rest of a sentence that begins with its name.
struct DeclarationFault: Error {
  var reason: String
  init(_ reason: String) { self.reason = reason }

  static func none(_ label: String) -> Self {
    Self("has a label '\(label)' for 'none' that is empty, long or reserved")
  }
}

private func make(
  _ declaration: ClassifierDeclaration, others: [String: any Classifier]
) throws -> any Classifier {
  let name = declaration.name
  let own = version(of: declaration)
  switch declaration.kind {
  case .regex(let pattern, let group, let match, let isLowercased, let none):
    return try RegexClassifier(
      name: name, version: own, pattern: pattern, group: group,
      which: match == .first ? .first : .last, isLowercased: isLowercased, none: none)
  case .pointer(let path):
    guard let pointer = JSONPointer(path) else {
      throw DeclarationFault("has a pointer '\(path)' that is neither empty nor begins with '/'")
    }
    return PointerClassifier(name: name, version: own, pointer: pointer)
  case .keywords(let rules, let none):
    return try KeywordClassifier(name: name, version: own, rules: rules, none: none)
  case .equals(let other):
    guard let inner = others[other] else {
      throw DeclarationFault("reads a classifier '\(other)' that is not declared")
    }
    if inner is EqualsClassifier {
      throw DeclarationFault("reads '\(other)', which is itself an 'equals'")
    }
    let version = version(of: declaration, inner.version)
    return EqualsClassifier(name: name, version: version, inner: inner)
  case .field(let field):
    guard !field.isEmpty else { throw DeclarationFault("names no field") }
    return FieldClassifier(name: name, version: own, field: field)
  case .refusal(let partial):
    guard partial == RefusalClassifier.refusal || partial == RefusalClassifier.answer else {
      throw DeclarationFault("counts partial refusals as '\(partial)', not 'refusal' or 'answer'")
    }
    return RefusalClassifier(
      name: name, version: version(of: declaration, RefusalRules.fingerprint),
      partialLabel: partial)
  case .tool(let isEvery, let none):
    guard isDeclarable(none) else { throw DeclarationFault.none(none) }
    return ToolClassifier(name: name, version: own, isEvery: isEvery, none: none)
  case .finish: return FinishClassifier(name: name, version: own)
  case .completeness: return CompletenessClassifier(name: name, version: own)
  case .format: return FormatClassifier(name: name, version: own)
  case .language:
    let version = version(of: declaration, LanguageRules.fingerprint)
    return LanguageClassifier(name: name, version: version)
  case .length(let unit, let bands):
    return LengthClassifier(name: name, version: own, unit: unit, bands: bands)
  case .latency(let bands): return LatencyClassifier(name: name, version: own, bands: bands)
  case .trained(let model, let probabilityMin, let unsure):
    return TrainedClassifier(
      name: name, version: own, model: model, probabilityMin: probabilityMin, unsure: unsure)
  }
}

/// Raised by hand when code, not a declaration, changes what a label would be.
let labellingRevision = "2"

private func version(of declaration: ClassifierDeclaration, _ more: String = "") -> String {
  // Length-prefixed parts: no two declarations can run together into the same text. The name is no
  // part of it, since renaming changes no label.
  var parts: [String]
  switch declaration.kind {
  case .regex(let pattern, let group, let match, let isLowercased, let none):
    parts = ["regex", pattern, "\(group)", match.rawValue, "\(isLowercased)", none]
  case .pointer(let path): parts = ["pointer", path]
  case .keywords(let rules, let none):
    parts = ["keywords", none]
    for rule in rules {
      parts.append(rule.label)
      for list in [rule.any, rule.all, rule.not] { parts += ["\(list.count)"] + list }
    }
  case .equals: parts = ["equals"]
  case .field(let field): parts = ["field", field]
  case .refusal(let partial): parts = ["refusal", partial]
  case .tool(let isEvery, let none): parts = ["tool", "\(isEvery)", none]
  case .finish: parts = ["finish"]
  case .completeness: parts = ["completeness"]
  case .format: parts = ["format"]
  case .language: parts = ["language"]
  case .length(let unit, let bands):
    parts = ["length", unit.rawValue] + bands.edges.map { "\($0)" }
  case .latency(let bands): parts = ["latency"] + bands.edges.map { "\($0)" }
  case .trained(let model, let probabilityMin, let unsure):
    parts = ["trained", model.digest, "\(probabilityMin)", unsure]
  }
  parts += [more, labellingRevision]
  return hexDigest(parts)
}

/// The first 16 hexadecimal digits of SHA-256 over length-prefixed parts.
public func hexDigest(_ parts: [String]) -> String {
  let bytes = parts.flatMap { part in Array("\(part.utf8.count):".utf8) + Array(part.utf8) }
  return SHA256.hash(data: Data(bytes)).prefix(8).map { byte in
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }.joined()
}

/// A label as it is stored: one line of 1 to 120 characters, without what a terminal or a database
/// would take for more than text.
public func tidyLabel(_ text: some StringProtocol) -> String {
  var tidy = String.UnicodeScalarView()
  var isSpaceDue = false
  for scalar in text.unicodeScalars {
    guard !scalar.properties.isWhitespace, !isControl(scalar) else {
      isSpaceDue = !tidy.isEmpty
      continue
    }
    // Marks that pile up on one letter are many scalars, and one character.
    if tidy.count >= labelScalarsMax { return String(tidy.prefix(labelScalarsMax - 1)) + "…" }
    if isSpaceDue { tidy.append(" ") }
    isSpaceDue = false
    tidy.append(scalar)
  }
  let line = String(tidy)
  if line.isEmpty { return SpecialLabel.missing.rawValue }
  // An output that spells a reserved label must not pass for a failed call.
  if SpecialLabel.isSpecial(line) { return "\"\(line)\"" }
  return tidy.count <= labelScalarsMax ? line : String(tidy.prefix(labelScalarsMax - 1)) + "…"
}

private let labelScalarsMax = 120

/// C0, C1 and the marks that turn the direction of what follows.
private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0..<0x20, 0x7F...0x9F, 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069: true
  default: false
  }
}

/// A label that a policy may declare: tidy, or a reserved one that stands for nothing found.
func isDeclarable(_ label: String) -> Bool {
  label == SpecialLabel.missing.rawValue || tidyLabel(label) == label
}
