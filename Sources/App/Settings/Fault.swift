// What is wrong in thresholds/, said so that the person who wrote the line can mend it.
//
// Faults are collected, never thrown: whoever edits policy sees all of them at once.

/// One fault of a settings file.
public struct Fault: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The file's path, as the thresholds directory was named: `thresholds/apps/support.yaml`.
  public var file: String
  /// From 1; 1 where the fault is of the file as a whole.
  public var line: Int
  public var what: String
  /// What to do about it.
  public var advice: String

  public init(file: String, line: Int, what: String, advice: String) {
    self.file = file
    self.line = line
    self.what = what
    self.advice = advice
  }

  /// `file:line: what — what to do`, a form that editors turn into a link.
  public var description: String { "\(file):\(line): \(what) — \(advice)" }

  public static func < (left: Fault, right: Fault) -> Bool {
    (left.file, left.line, left.what, left.advice)
      < (right.file, right.line, right.what, right.advice)
  }
}

/// Where the readers put what they find wrong.
final class FaultLog {
  private(set) var faults: [Fault] = []

  func add(_ file: String, _ line: Int, _ what: String, _ advice: String) {
    let fault = Fault(file: file, line: line, what: what, advice: advice)
    if !faults.contains(fault) { faults.append(fault) }
  }
}
