// The top-level keys of a Messages request that admission reads, and those that only add cost.

/// A top-level key of a Messages request.
enum MessagesRequestKey: UInt8, RequestKey, CaseIterable {
  case model, messages, system, maxTokens, stream, tools, serviceTier, speed, inferenceGeo
  case thinking
  // From here on: keys that reach what no bound can be read of. `null` and empty values do not.
  case mcpServers, container, contextManagement, fallbacks, fallbackCreditToken
  case thread, compaction

  static let all = allCases

  var name: StaticString {
    switch self {
    case .model: "model"
    case .messages: "messages"
    case .system: "system"
    case .maxTokens: "max_tokens"
    case .stream: "stream"
    case .tools: "tools"
    case .serviceTier: "service_tier"
    case .speed: "speed"
    case .inferenceGeo: "inference_geo"
    case .thinking: "thinking"
    case .mcpServers: "mcp_servers"
    case .container: "container"
    case .contextManagement: "context_management"
    case .fallbacks: "fallbacks"
    case .fallbackCreditToken: "fallback_credit_token"
    case .thread: "thread"
    case .compaction: "compaction"
    }
  }

  /// Whether a value under this key makes the cost of a call unboundable.
  var isUnboundable: Bool { rawValue >= MessagesRequestKey.mcpServers.rawValue }
}
