// The keys of Gemini's requests that admission reads. Its servers take each in two spellings.

/// A top-level key.
enum GeminiRequestKey: UInt8, RequestKey, CaseIterable {
  case model, contents, content, requests, systemInstruction, tools, generationConfig, serviceTier
  // From here on: keys that reach what no bound can be read of.
  case cachedContent, continuationToken, extraBody

  static let all = allCases

  var name: StaticString {
    switch self {
    case .model: "model"
    case .contents: "contents"
    case .content: "content"
    case .requests: "requests"
    case .systemInstruction: "systemInstruction"
    case .tools: "tools"
    case .generationConfig: "generationConfig"
    case .serviceTier: "serviceTier"
    case .cachedContent: "cachedContent"
    case .continuationToken: "continuationToken"
    case .extraBody: "extraBody"
    }
  }

  var otherName: StaticString? {
    switch self {
    case .model, .contents, .content, .requests, .tools: nil
    case .systemInstruction: "system_instruction"
    case .generationConfig: "generation_config"
    case .serviceTier: "service_tier"
    case .cachedContent: "cached_content"
    case .continuationToken: "continuation_token"
    case .extraBody: "extra_body"
    }
  }

  var isUnboundable: Bool { rawValue >= GeminiRequestKey.cachedContent.rawValue }
}

/// A key of `generationConfig`.
enum GeminiConfigKey: UInt8, RequestKey, CaseIterable {
  case maxOutputTokens, candidateCount, responseModalities, responseFormat
  case speechConfig, imageConfig, translationConfig
  /// They let the provider, or the caller behind the path's back, choose another model.
  case routingConfig, modelConfig, modelSelectionConfig

  static let all = allCases

  var name: StaticString {
    switch self {
    case .maxOutputTokens: "maxOutputTokens"
    case .candidateCount: "candidateCount"
    case .responseModalities: "responseModalities"
    case .responseFormat: "responseFormat"
    case .speechConfig: "speechConfig"
    case .imageConfig: "imageConfig"
    case .translationConfig: "translationConfig"
    case .routingConfig: "routingConfig"
    case .modelConfig: "modelConfig"
    case .modelSelectionConfig: "modelSelectionConfig"
    }
  }

  var otherName: StaticString? {
    switch self {
    case .maxOutputTokens: "max_output_tokens"
    case .candidateCount: "candidate_count"
    case .responseModalities: "response_modalities"
    case .responseFormat: "response_format"
    case .speechConfig: "speech_config"
    case .imageConfig: "image_config"
    case .translationConfig: "translation_config"
    case .routingConfig: "routing_config"
    case .modelConfig: "model_config"
    case .modelSelectionConfig: "model_selection_config"
    }
  }

  /// What a value under this key leaves without a bound, for people; nil: nothing.
  var unboundablePart: String? {
    switch self {
    case .maxOutputTokens, .candidateCount, .responseModalities, .responseFormat: nil
    case .speechConfig, .imageConfig, .translationConfig: "output other than text"
    case .routingConfig, .modelConfig, .modelSelectionConfig: "'\(name)', which chooses the model"
    }
  }
}
