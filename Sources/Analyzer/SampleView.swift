// What a classifier may look at. Fewer things than a stored sample has: a label must not depend on
// who called, when, or what it cost.

/// One recorded call, as classifiers see it.
public struct SampleView: Hashable, Sendable {
  /// The text that the model gave; empty where there was none.
  public var output: String
  public var input: String
  /// What the answer should have been, where someone said so.
  public var reference: String?
  /// Imported columns by name.
  public var fields: [String: String]
  /// The HTTP status of the call; 200 for imported outputs.
  public var status: Int
  /// The provider's word for why the answer ended; empty where unknown.
  public var finishReason: String

  public init(
    output: String, input: String = "", reference: String? = nil, fields: [String: String] = [:],
    status: Int = 200, finishReason: String = ""
  ) {
    self.output = output
    self.input = input
    self.reference = reference
    self.fields = fields
    self.status = status
    self.finishReason = finishReason
  }

  /// True where the call failed, so that no rule about its text means anything.
  public var isFailed: Bool { status >= 400 }

  /// True where there is no text although the call did not hand over to a tool.
  public var isEmpty: Bool {
    let handsOver =
      finishReason == "tool_calls" || finishReason == "function_call"
      || finishReason == "tool_use"
    return !handsOver && output.allSatisfy(\.isWhitespace)
  }
}
