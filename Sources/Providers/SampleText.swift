// The text of a call as a sample keeps it: what was asked, what was answered.
//
// Off the hot path; bodies may be cut off at a bound, and what can be read of them is kept.

/// What a model answered.
public struct OutputText: Hashable, Sendable {
  /// The answer's text; several choices one after another, a line apart. Empty where the body is
  /// none.
  public var text = ""
  /// `stop`, `length`, `tool_calls`, …; empty where not said.
  public var finishReason = ""
  /// Tool calls as a compact JSON array of `{"name","arguments"}`; empty where there are none.
  public private(set) var toolCalls = ""
  /// The names of the called tools, in order; one that is called twice stands there twice.
  public private(set) var toolNames: [String] = []
  /// The message of an error, where the answer is one.
  public var errorMessage: String?

  public init() {}

  /// Text and tool calls together, as a sample stores them: the text, a line feed, the calls.
  public var combined: String {
    [text, toolCalls].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  mutating func take(_ calls: [ToolCall]) {
    toolCalls = ToolCall.json(calls)
    toolNames = calls.map(\.name)
  }
}

/// Puts an answer's text together from one document or from a stream's events.
protocol AnswerGathering {
  init()
  mutating func take(_ document: JSONTree)
  func output() -> OutputText
}

extension AnswerGathering {
  /// Reads an answer's body: one JSON document, or an event stream of them.
  static func extract(_ body: [UInt8], isStream: Bool) -> OutputText {
    var gathering = Self()
    if isStream {
      for data in StreamData.events(of: body) { gathering.take(data) }
    } else if let document = body.withUnsafeBytes({ JSONTree($0, isStrict: false) }) {
      gathering.take(document)
    }
    return gathering.output()
  }
}

/// A tool call; in a stream its parts come one after another.
struct ToolCall {
  var name = ""
  var arguments = ""

  /// Calls as a compact JSON array; arguments that are JSON stand as such, others as a string.
  static func json(_ calls: [ToolCall]) -> String {
    if calls.isEmpty { return "" }
    var json = JSONWriter()
    json.array { json in
      for call in calls {
        json.object { json in
          json.member("name", call.name)
          json.member("arguments") { json in
            let parsed = Array(call.arguments.utf8).withUnsafeBytes {
              JSONTree($0, isStrict: true)
            }
            (parsed ?? .string(call.arguments)).write(to: &json)
          }
        }
      }
    }
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
