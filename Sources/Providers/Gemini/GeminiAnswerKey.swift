// The names that Gemini's answers use, as keys and as values.

/// What a key of an answer is, by the depth at which it stands.
enum GeminiAnswerKey: UInt8 {
  case other
  // Of the document.
  case candidates, usage, model, error, feedback, embeddings
  // Of a candidate, and of the prompt's feedback.
  case content, finishReason, blockReason, grounding, index
  // Of what an answer is grounded in.
  case queries, chunks, maps
  // Of a part: its text; what else the model says; what it does not say.
  case text, call, silent
  // Of an embedding.
  case statistics, tokenCount

  init(_ text: JSONText, depth: Int) {
    switch depth {
    case 1: self = Self.ofDocument(text)
    case 2, 3, 4: self = Self.ofCandidate(text)
    case 6: self = Self.ofPart(text)
    default: self = .other
    }
  }

  private static func ofDocument(_ text: JSONText) -> Self {
    if text.equals("candidates") { return .candidates }
    if text.equals("usageMetadata") { return .usage }
    if text.equals("modelVersion") { return .model }
    if text.equals("error") { return .error }
    if text.equals("promptFeedback") { return .feedback }
    return text.equals("embeddings") || text.equals("embedding") ? .embeddings : .other
  }

  private static func ofCandidate(_ text: JSONText) -> Self {
    if text.equals("content") { return .content }
    if text.equals("finishReason") { return .finishReason }
    if text.equals("index") { return .index }
    if text.equals("blockReason") { return .blockReason }
    if text.equals("groundingMetadata") { return .grounding }
    if text.equals("webSearchQueries") || text.equals("imageSearchQueries") { return .queries }
    if text.equals("groundingChunks") { return .chunks }
    if text.equals("statistics") { return .statistics }
    return text.equals("tokenCount") ? .tokenCount : .other
  }

  private static func ofPart(_ text: JSONText) -> Self {
    if text.equals("text") { return .text }
    if text.equals("maps") { return .maps }
    let isSilent = silentParts.contains { text.equals($0) }
    return isSilent ? .silent : .call
  }

  /// Bytes of media and what tools answered: nothing that the model said in text.
  private static let silentParts: [StaticString] = [
    "inlineData", "fileData", "thoughtSignature", "codeExecutionResult", "toolResponse",
    "partMetadata", "videoMetadata", "mediaResolution",
  ]

  /// The name of a finish reason's number; beyond these the versions of the API disagree.
  static func finishReason(_ number: Int64) -> String {
    switch number {
    case 1: "STOP"
    case 2: "MAX_TOKENS"
    case 3: "SAFETY"
    case 4: "RECITATION"
    case 5: "OTHER"
    default: "\(number)"
    }
  }

  /// The name of a block reason's number.
  static func blockReason(_ number: Int64) -> String {
    switch number {
    case 1: "SAFETY"
    case 2: "OTHER"
    case 3: "BLOCKLIST"
    case 4: "PROHIBITED_CONTENT"
    default: "\(number)"
    }
  }
}

extension GeminiUsage.Field {
  /// The field that a key of `usageMetadata` names.
  init?(_ text: JSONText) {
    if text.equals("promptTokenCount") {
      self = .prompt
    } else if text.equals("cachedContentTokenCount") {
      self = .cached
    } else if text.equals("candidatesTokenCount") || text.equals("responseTokenCount") {
      self = .candidates
    } else if text.equals("thoughtsTokenCount") {
      self = .thoughts
    } else if text.equals("toolUsePromptTokenCount") {
      self = .toolUse
    } else if text.equals("totalTokenCount") {
      self = .total
    } else {
      return nil
    }
  }
}

extension GeminiUsage.List {
  /// The list of modalities that a key of `usageMetadata` names.
  init(_ text: JSONText) {
    // Embeddings say the first without its plural.
    if text.equals("promptTokensDetails") || text.equals("promptTokenDetails") {
      self = .prompt
    } else if text.equals("cacheTokensDetails") {
      self = .cached
    } else if text.equals("candidatesTokensDetails") || text.equals("responseTokensDetails") {
      self = .candidates
    } else {
      self = text.equals("toolUsePromptTokensDetails") ? .toolUse : .none
    }
  }
}

extension GeminiUsage.Modality {
  init(_ text: JSONText) {
    if text.equals("TEXT") {
      self = .text
    } else if text.equals("IMAGE") {
      self = .image
    } else if text.equals("VIDEO") {
      self = .video
    } else if text.equals("AUDIO") {
      self = .audio
    } else {
      self = text.equals("DOCUMENT") ? .document : .unknown
    }
  }

  init(number: Int64?) {
    switch number {
    case 1: self = .text
    case 2: self = .image
    case 3: self = .video
    case 4: self = .audio
    case 5: self = .document
    default: self = .unknown
    }
  }
}

extension GeminiUsage {
  /// A traffic type, or service tier, under the name that price books use; nil where it says none.
  static func tier(_ text: JSONText) -> String? {
    switch text.string?.lowercased() {
    case "on_demand", "standard": "standard"
    case "on_demand_priority", "priority": "priority"
    case "on_demand_flex", "flex": "flex"
    case "on_demand_offpeak", "offpeak": "offpeak"
    case "provisioned_throughput": "provisioned"
    case nil, "", "traffic_type_unspecified", "unspecified": nil
    case let other?: other
    }
  }

  /// As `tier(_:)`, for a traffic type that is said by its number.
  static func tier(number: Int64) -> String? {
    switch number {
    case 1: "standard"
    case 2: "provisioned"
    case 3: "priority"
    case 4: "flex"
    default: nil
    }
  }
}
