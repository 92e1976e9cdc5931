// The top-level keys of a chat request that admission reads, and those that only add cost.

/// A top-level key of a chat completions request.
enum ChatRequestKey: UInt8, RequestKey, CaseIterable {
  case model, messages, stream, streamOptions, serviceTier
  case maxTokens, maxCompletionTokens, maxOutputTokens, choices, bestOf
  case tools, functions, modalities, webSearchOptions
  // From here on: keys that reach what no bound can be read of. `null` and empty values do not.
  case audio, prediction, plugins, models, route, extraBody, cachedContent
  case dataSources, enhancements, chatTemplate, searchParameters, fileIDs, vectorStoreIDs
  case webSearch, tokenIDs
  // Other servers' names of the output bound: one that obeys them would pass ours.
  case nPredict, numPredict, maxNewTokens

  static let all = allCases

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
  var isUnboundable: Bool { rawValue >= ChatRequestKey.audio.rawValue }
}
