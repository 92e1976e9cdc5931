// The one error of this module. It says what happened, where, and what to do, because the reader is
// on call and has not read the code.

import Store

/// What went wrong in the analyzer.
public struct AnalyzerFault: Error, Sendable, CustomStringConvertible {
  /// A bounded set, fit for a metric label.
  public enum Code: String, Sendable {
    case classifier
    case baselineMissing = "baseline_missing"
    case baselineUnreadable = "baseline_unreadable"
    case baselineExists = "baseline_exists"
    case name
    case filter
    case noSamples = "no_samples"
    case store
    case report
    case schedule
  }

  public var code: Code
  /// What happened and where.
  public var message: String
  /// What to do about it.
  public var hint: String
  /// True where the same attempt may succeed later.
  public var isRetryable: Bool
  public var cause: (any Error)?

  public init(
    _ code: Code, _ message: String, hint: String, isRetryable: Bool = false,
    cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable
    self.cause = cause
  }

  public var description: String {
    let because = cause.map { " (\($0))" } ?? ""
    return "\(message)\(because). \(hint)"
  }
}

extension AnalyzerFault {
  /// What a failing store kept from being done; to be tried again where the store says so.
  static func store(_ message: String, _ cause: any Error) -> AnalyzerFault {
    AnalyzerFault(
      .store, message, hint: "See the cause.",
      isRetryable: (cause as? StoreFault)?.isRetryable ?? false, cause: cause)
  }
}
