// The keys of Gemini's requests that admission reads. Its servers take each in two spellings.

/// A top-level key.
enum GeminiRequestKey: UInt8, RequestKey, CaseIterable {
  case contents, content, requests, systemInstruction, tools, generationConfig, serviceTier
  // From here on: keys that reach what no bound can be read of.
  case cachedContent, extraBody

  static let all = allCases

  var name: StaticString {
    switch self {
    case .contents: "contents"
    case .content: "content"
    case .requests: "requests"
    case .systemInstruction: "systemInstruction"
    case .tools: "tools"
    case .generationConfig: "generationConfig"
    case .serviceTier: "serviceTier"
    case .cachedContent: "cachedContent"
    case .extraBody: "extraBody"
    }
  }

  var otherName: StaticString? {
    switch self {
    case .contents, .content, .requests, .tools: nil
    case .systemInstruction: "system_instruction"
    case .generationConfig: "generation_config"
    case .serviceTier: "service_tier"
    case .cachedContent: "cached_content"
    case .extraBody: "extra_body"
    }
  }

  var isUnboundable: Bool { rawValue >= GeminiRequestKey.cachedContent.rawValue }
}

/// A key of `generationConfig`.
enum GeminiConfigKey: UInt8, RequestKey, CaseIterable {
  case maxOutputTokens, candidateCount, responseModalities, speechConfig, imageConfig

  static let all = allCases

  var name: StaticString {
    switch self {
    case .maxOutputTokens: "maxOutputTokens"
    case .candidateCount: "candidateCount"
    case .responseModalities: "responseModalities"
    case .speechConfig: "speechConfig"
    case .imageConfig: "imageConfig"
    }
  }

  var otherName: StaticString? {
    switch self {
    case .maxOutputTokens: "max_output_tokens"
    case .candidateCount: "candidate_count"
    case .responseModalities: "response_modalities"
    case .speechConfig: "speech_config"
    case .imageConfig: "image_config"
    }
  }
}
