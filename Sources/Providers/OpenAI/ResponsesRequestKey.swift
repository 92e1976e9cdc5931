// The top-level keys of a Responses request that admission reads, and those that only add cost.

/// A top-level key of a Responses request.
enum ResponsesRequestKey: UInt8, RequestKey, CaseIterable {
  case model, input, instructions, stream, serviceTier, maxOutputTokens, tools, background, store
  // From here on: keys that reach what no bound can be read of. `null`, false and empty values do
  // not.
  case previousResponseID, conversation, prompt, contextManagement
  // Other servers' names of the output bound: one that obeys them would pass ours.
  case maxTokens, maxCompletionTokens, choices, extraBody

  static let all = allCases

  var name: StaticString {
    switch self {
    case .model: "model"
    case .input: "input"
    case .instructions: "instructions"
    case .stream: "stream"
    case .serviceTier: "service_tier"
    case .maxOutputTokens: "max_output_tokens"
    case .tools: "tools"
    case .background: "background"
    case .store: "store"
    case .previousResponseID: "previous_response_id"
    case .conversation: "conversation"
    case .prompt: "prompt"
    case .contextManagement: "context_management"
    case .maxTokens: "max_tokens"
    case .maxCompletionTokens: "max_completion_tokens"
    case .choices: "n"
    case .extraBody: "extra_body"
    }
  }

  /// Whether a value under this key makes the cost of a call unboundable.
  var isUnboundable: Bool { rawValue >= ResponsesRequestKey.previousResponseID.rawValue }
}
