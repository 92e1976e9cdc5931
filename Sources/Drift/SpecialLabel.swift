// Labels that say something about the labelling and not about the output. They are classes like
// any other in every statistic: an extractor that suddenly finds nothing is drift too.

/// The reserved labels; no classifier may give one of these names to an ordinary class.
public enum SpecialLabel: String, CaseIterable, Sendable, Codable {
  /// The extractor found nothing in the output.
  case missing = "__missing__"
  /// The output could not be parsed, or a judge answered outside its schema.
  case invalid = "__invalid__"
  /// The call gave no output.
  case error = "__error__"
  /// All classes that the baseline hardly had or never, where the classes are fixed beforehand.
  case other = "__other__"
  /// Several very rare classes merged into one; `Comparison.mergedLabels` names them.
  case rare = "__rare__"

  /// Whether a label is one of the reserved ones.
  public static func isSpecial(_ label: String) -> Bool { SpecialLabel(rawValue: label) != nil }
}
