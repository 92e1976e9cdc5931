// Classifiers that read the text of an output by a pattern, a pointer or a column.

import Drift
import Foundation

/// The text of a capture group of the first or last match.
struct RegexClassifier: Classifier {
  let name: String
  let version: String
  let regex: LinearRegex
  let group: Int
  let which: LinearRegex.Which
  let isLowercased: Bool
  let none: String

  /// The bytes of an output that are read; a longer one cannot stop the night run.
  static let outputBytesMax = 1 << 20

  /// - Throws: `DeclarationFault`.
  init(
    name: String, version: String, pattern: String, group: Int, which: LinearRegex.Which,
    isLowercased: Bool, none: String
  ) throws(DeclarationFault) {
    do { regex = try LinearRegex(pattern) } catch {
      throw DeclarationFault("has a pattern that cannot be used: \(error)")
    }
    guard (0...regex.groupCount).contains(group) else {
      throw DeclarationFault("asks for group \(group) of \(regex.groupCount) in its pattern")
    }
    guard isDeclarable(none) else { throw DeclarationFault.none(none) }
    self.name = name
    self.version = version
    self.group = group
    self.which = which
    self.isLowercased = isLowercased
    self.none = none
  }

  func label(_ sample: SampleView) -> String {
    if sample.isFailed || sample.isEmpty { return SpecialLabel.error.rawValue }
    guard sample.output.utf8.count <= Self.outputBytesMax else {
      return SpecialLabel.invalid.rawValue
    }
    let text = sample.output.unicodeScalars.map(\.value)
    do {
      guard let range = try regex.find(which, in: text, group: group)?.group else { return none }
      var found = String.UnicodeScalarView()
      for value in text[range] { if let scalar = Unicode.Scalar(value) { found.append(scalar) } }
      let label = tidyLabel(String(found))
      return isLowercased && label != SpecialLabel.missing.rawValue ? label.lowercased() : label
    } catch {
      return SpecialLabel.invalid.rawValue
    }
  }
}

/// The value at a pointer of an output that is JSON.
struct PointerClassifier: Classifier {
  let name: String
  let version: String
  let pointer: JSONPointer

  func label(_ sample: SampleView) -> String {
    if sample.isFailed || sample.isEmpty { return SpecialLabel.error.rawValue }
    guard sample.output.utf8.count <= RegexClassifier.outputBytesMax else {
      return SpecialLabel.invalid.rawValue
    }
    switch pointer.read(Array(sample.output.utf8)) {
    case .unreadable: return SpecialLabel.invalid.rawValue
    case .absent: return SpecialLabel.missing.rawValue
    case .text(let value): return tidyLabel(value)
    case .literal(let value): return tidyLabel(value)
    case .object: return "object"
    case .array: return "array"
    }
  }
}

/// An imported column: a label that somebody else gave.
struct FieldClassifier: Classifier {
  let name: String
  let version: String
  let field: String

  func label(_ sample: SampleView) -> String {
    // A person may have labelled an empty answer, so an empty output is no error here.
    if let value = sample.fields[field] { return tidyLabel(value) }
    return sample.isFailed ? SpecialLabel.error.rawValue : SpecialLabel.missing.rawValue
  }
}

/// Another classifier's label against what the answer should have been.
struct EqualsClassifier: Classifier {
  static let equal = "equal"
  static let different = "different"

  let name: String
  let version: String
  let inner: any Classifier

  func label(_ sample: SampleView) -> String {
    let label = inner.label(sample)
    if label == SpecialLabel.error.rawValue { return label }
    guard let reference = sample.reference, !reference.allSatisfy(\.isWhitespace) else {
      return SpecialLabel.missing.rawValue
    }
    let wanted = normalised(label)
    if wanted == normalised(reference) { return Self.equal }
    // A reference may be written as an output is ("\boxed{3}"): then it is read by the same rule.
    // A rule that finds nothing says so with the label of an unlike text, and must not match.
    let nothing = inner.label(SampleView(output: "\u{1F}", fields: sample.fields))
    let read = inner.label(SampleView(output: reference, fields: sample.fields))
    return read != nothing && wanted == normalised(read) ? Self.equal : Self.different
  }

  private func normalised(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
  }
}

/// The most probable label by a model that was trained on labelled examples.
struct TrainedClassifier: Classifier {
  let name: String
  let version: String
  let model: TextModel
  /// Below this probability the label is `unsure`.
  let probabilityMin: Double
  let unsure: String

  func label(_ sample: SampleView) -> String {
    if sample.isFailed || sample.isEmpty { return SpecialLabel.error.rawValue }
    let found = model.classify(sample.output)
    return found.probability >= probabilityMin ? found.label : unsure
  }
}
