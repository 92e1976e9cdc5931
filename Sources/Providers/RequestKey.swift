// The top-level keys of a chat request that admission reads, and those that only add cost.
//
// A key that admission reads must be said once and exactly: an upstream that takes the second of
// two, or that ignores the case of letters (as Go's decoder does), would else see another request.

/// A top-level key of a chat completions request.
enum RequestKey: UInt8, CaseIterable {
  case model, messages, stream, streamOptions, serviceTier
  case maxTokens, maxCompletionTokens, maxOutputTokens, choices, bestOf
  case tools, functions, modalities
  // From here on: keys that reach what no bound can be read of. `null` and empty values do not.
  case audio, prediction, webSearchOptions, plugins, models, route, extraBody, cachedContent
  case dataSources, enhancements, chatTemplate, searchParameters, fileIDs, vectorStoreIDs
  case webSearch, tokenIDs
  // Other servers' names of the output bound: one that obeys them would pass ours.
  case nPredict, numPredict, maxNewTokens

  var name: StaticString {
    switch self {
    case .model: "model"
    case .messages: "messages"
    case .stream: "stream"
    case .streamOptions: "stream_options"
    case .serviceTier: "service_tier"
    case .maxTokens: "max_tokens"
    case .maxCompletionTokens: "max_completion_tokens"
    case .maxOutputTokens: "max_output_tokens"
    case .choices: "n"
    case .bestOf: "best_of"
    case .tools: "tools"
    case .functions: "functions"
    case .modalities: "modalities"
    case .audio: "audio"
    case .prediction: "prediction"
    case .webSearchOptions: "web_search_options"
    case .plugins: "plugins"
    case .models: "models"
    case .route: "route"
    case .extraBody: "extra_body"
    case .cachedContent: "cached_content"
    case .dataSources: "data_sources"
    case .enhancements: "enhancements"
    case .chatTemplate: "chat_template"
    case .searchParameters: "search_parameters"
    case .fileIDs: "file_ids"
    case .vectorStoreIDs: "vector_store_ids"
    case .webSearch: "web_search"
    case .tokenIDs: "prompt_token_ids"
    case .nPredict: "n_predict"
    case .numPredict: "num_predict"
    case .maxNewTokens: "max_new_tokens"
    }
  }

  /// Whether a value under this key makes the cost of a call unboundable.
  var isUnboundable: Bool { rawValue >= RequestKey.audio.rawValue }

  enum Match {
    case key(RequestKey)
    case other
    /// The same as a known key but for the case of letters.
    case lookalike(RequestKey)
  }

  /// The key that a text names.
  static func match(_ text: JSONText) -> Match {
    guard text.isWhole else { return .other }
    var isASCII = true
    for byte in text.bytes where byte >= 0x80 { isASCII = false }
    if !isASCII { return matchFolded(text) }
    for key in all where key.name.utf8CodeUnitCount == text.count {
      if text.equals(key.name) { return .key(key) }
      if equalsIgnoringCase(text.bytes, key.name) { return .lookalike(key) }
    }
    return .other
  }

  private static let all = RequestKey.allCases

  /// Two letters beyond ASCII fold to ASCII ones: U+017F to `s`, U+212A to `k`.
  private static func matchFolded(_ text: JSONText) -> Match {
    var folded: [UInt8] = []
    var index = 0
    while index < text.count {
      let rest = text.bytes[index...]
      if rest.starts(with: [0xC5, 0xBF]) {
        folded.append(UInt8(ascii: "s"))
        index += 2
      } else if rest.starts(with: [0xE2, 0x84, 0xAA]) {
        folded.append(UInt8(ascii: "k"))
        index += 3
      } else {
        folded.append(text.bytes[index])
        index += 1
      }
    }
    return folded.withUnsafeBytes { bytes in
      all.first { equalsIgnoringCase(bytes, $0.name) }.map { .lookalike($0) } ?? .other
    }
  }
}
