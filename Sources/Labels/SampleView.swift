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
  /// The names of the tools that the answer calls, in order.
  public var tools: [String]
  /// The HTTP status of the call; 200 for imported outputs.
  public var status: Int
  /// The provider's word for why the answer ended; empty where unknown.
  public var finishReason: String
  /// From the request's arrival to the answer's end; -1 where unknown.
  public var latencyMilliseconds: Int64

  public init(
    output: String, input: String = "", reference: String? = nil, fields: [String: String] = [:],
    tools: [String] = [], status: Int = 200, finishReason: String = "",
    latencyMilliseconds: Int64 = -1
  ) {
    self.output = output
    self.input = input
    self.reference = reference
    self.fields = fields
    self.tools = tools
    self.status = status
    self.finishReason = finishReason
    self.latencyMilliseconds = latencyMilliseconds
  }

  /// True where the call failed, so that no rule about its text means anything.
  public var isFailed: Bool { status >= 400 }

  /// True where there is no text although the call did not hand over to a tool.
  public var isEmpty: Bool {
    let handsOver = !tools.isEmpty || FinishReason.normalised(finishReason) == "tool"
    return !handsOver && output.allSatisfy(\.isWhitespace)
  }
}
