// Classifiers that read how a call went rather than what its text says: the tools it called, why
// it ended, how long it was and took.

import Drift

/// Why an answer ended, in the words that providers use for it.
enum FinishReason {
  /// The same word for the same thing at every provider; what is not known stays as it came.
  static func normalised(_ reason: String) -> String {
    switch reason.lowercased() {
    case "stop", "end_turn", "stop_sequence", "completed", "complete", "eos", "eos_token", "end":
      "stop"
    case "length", "max_tokens", "max_output_tokens", "incomplete", "model_context_window_exceeded",
      "model_length":
      "length"
    case "tool_calls", "tool_use", "function_call", "tool_call": "tool"
    case "content_filter", "content_filtered", "safety", "recitation", "blocklist", "spii",
      "prohibited_content", "image_safety", "guardrail_intervened", "refusal":
      "filter"
    case "malformed_function_call", "malformed_tool_use", "unexpected_tool_call": "malformed tool"
    default: tidyLabel(reason)
    }
  }
}

/// "stop", "length", "tool", "filter", … whatever the provider calls it.
struct FinishClassifier: Classifier {
  let name: String
  let version: String

  func label(_ sample: SampleView) -> String {
    if sample.isFailed { return SpecialLabel.error.rawValue }
    let reason = FinishReason.normalised(sample.finishReason)
    // Some providers say of a call of a tool that the answer is complete.
    return reason == "stop" && !sample.tools.isEmpty ? "tool" : reason
  }
}

/// The tools that an answer calls.
struct ToolClassifier: Classifier {
  let name: String
  let version: String
  /// All of them in alphabetical order, with " + " between; else the first.
  let isEvery: Bool
  let none: String

  func label(_ sample: SampleView) -> String {
    if sample.isFailed { return SpecialLabel.error.rawValue }
    guard let first = sample.tools.first else {
      return sample.isEmpty ? SpecialLabel.error.rawValue : none
    }
    return tidyLabel(isEvery ? Set(sample.tools).sorted().joined(separator: " + ") : first)
  }
}

/// "complete", "truncated" or "empty".
struct CompletenessClassifier: Classifier {
  let name: String
  let version: String

  func label(_ sample: SampleView) -> String {
    if sample.isFailed { return SpecialLabel.error.rawValue }
    if sample.isEmpty { return "empty" }
    let reason = FinishReason.normalised(sample.finishReason)
    if reason == "length" { return "truncated" }
    // Where nobody said why it ended, an open fence or an open JSON value still does.
    guard reason == SpecialLabel.missing.rawValue else { return "complete" }
    return TextShape(of: sample.output).isOpen ? "truncated" : "complete"
  }
}

/// The band of the output's length.
struct LengthClassifier: Classifier {
  let name: String
  let version: String
  let unit: ClassifierDeclaration.LengthUnit
  let bands: Bands

  func label(_ sample: SampleView) -> String {
    if sample.isFailed || sample.isEmpty { return SpecialLabel.error.rawValue }
    switch unit {
    case .characters: return bands.label(of: Int64(sample.output.count))
    case .words: return bands.label(of: Int64(Words.of(sample.output).count))
    }
  }
}

/// The band of the call's duration.
struct LatencyClassifier: Classifier {
  let name: String
  let version: String
  let bands: Bands

  func label(_ sample: SampleView) -> String {
    if sample.isFailed { return SpecialLabel.error.rawValue }
    guard sample.latencyMilliseconds >= 0 else { return SpecialLabel.missing.rawValue }
    return bands.label(of: sample.latencyMilliseconds)
  }
}
