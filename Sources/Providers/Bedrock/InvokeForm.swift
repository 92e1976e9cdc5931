// Which form the bodies of an InvokeModel call have: the model's maker decides, and the model's
// name says who that is.
//
// Source: the pages of "Inference request parameters and response fields for foundation models" in
// Amazon Bedrock's user guide.

/// The form of a model's bodies.
enum InvokeForm {
  /// Anthropic's messages, without a model.
  case messages
  /// Converse's, with another name of the output bound beside its own.
  case nova
  /// Text and settings under keys of the top.
  case flat(InvokeFlatForm)
  /// The cost of a call cannot be bounded; the text says what of it is unknown, for people.
  case unknown(String)

  /// - Parameter model: as in the path: with or without the regions it may run in.
  init(model: String) {
    let parts = model.split(separator: ".", omittingEmptySubsequences: false)
    let first = parts.firstIndex { Self.makers.contains(String($0)) }
    guard let first, first <= 1, first + 1 < parts.count, !model.contains("/") else {
      self = .unknown("a model whose maker its name does not tell")
      return
    }
    let name = parts[(first + 1)...].joined(separator: ".")
    self = Self.form(maker: String(parts[first]), name: name)
  }

  private static let makers: Set<String> = [
    "ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax",
    "mistral", "moonshot", "moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs",
    "writer", "zai",
  ]

  private static func form(maker: String, name: String) -> InvokeForm {
    func begins(_ prefixes: String...) -> Bool { prefixes.contains(where: name.hasPrefix) }
    switch maker {
    // The oldest ones take a prompt.
    case "anthropic" where begins("claude-") && !begins("claude-v", "claude-instant"):
      return .messages
    case "amazon":
      let makesOthers = ["canvas", "reel", "sonic", "embed"].contains { name.contains($0) }
      if begins("nova-"), !makesOthers { return .nova }
      if begins("titan-embed-text") { return .flat(.titanEmbed) }
    case "meta" where begins("llama"): return .flat(.llama)
    case "mistral": return .flat(.mistral)
    case "deepseek": return .flat(begins("r1") ? .prompt : .chat)
    case "cohere":
      if begins("command-r") { return .flat(.cohereChat) }
      if begins("command-") { return .flat(.cohereText) }
      if begins("embed-") { return .flat(.cohereEmbed) }
    case "openai": return .flat(.openAI)
    case "ai21" where begins("jamba"): return .flat(.chat)
    case "google", "minimax", "moonshot", "moonshotai", "nvidia", "qwen", "writer", "zai":
      return .flat(.chat)
    default: break
    }
    return .unknown("the form of the body that '\(maker).\(name.prefix(40))' takes")
  }

  /// The model turns text into vectors.
  var isEmbedding: Bool {
    switch self {
    case .flat(.titanEmbed), .flat(.cohereEmbed): true
    default: false
    }
  }
}

/// The forms whose bodies have text and settings at the top.
enum InvokeFlatForm: UInt8, CaseIterable {
  case llama, mistral, prompt, chat, openAI, cohereText, cohereChat, titanEmbed, cohereEmbed

  /// The fields that bound the output, the one that is put in first; none: there is no output.
  var bounds: [InvokeRequestKey] {
    switch self {
    case .llama: [.maxGenLen]
    case .mistral, .prompt, .chat, .cohereText, .cohereChat: [.maxTokens]
    case .openAI: [.maxCompletionTokens, .maxTokens]
    case .titanEmbed, .cohereEmbed: []
    }
  }

  /// The fields whose cost is that of their text, and those that cost nothing.
  var fields: [InvokeRequestKey] {
    let sampling: [InvokeRequestKey] = [.temperature, .topP, .topK, .stop, .seed]
    let chat: [InvokeRequestKey] = [
      .model, .messages, .tools, .toolChoice, .choices, .responseFormat, .frequencyPenalty,
      .presencePenalty, .parallelToolCalls, .reasoningEffort, .safePrompt,
    ]
    let cohere: [InvokeRequestKey] = [
      .shortP, .shortK, .stopSequences, .truncate, .returnLikelihoods, .frequencyPenalty,
      .presencePenalty,
    ]
    return switch self {
    case .llama: sampling + [.prompt]
    case .prompt: sampling + [.prompt]
    case .mistral: sampling + chat + [.prompt]
    case .chat: sampling + chat
    case .openAI: sampling + chat + [.serviceTier, .logitBias, .user]
    case .cohereText: sampling + cohere + [.prompt, .numGenerations, .stream]
    case .cohereChat:
      sampling + cohere + [
        .message, .chatHistory, .preamble, .documents, .tools, .toolResults, .rawPrompting,
        .promptTruncation, .searchQueriesOnly, .forceSingleStep,
      ]
    case .titanEmbed: [.inputText, .dimensions, .normalize, .embeddingTypesOfTitan]
    case .cohereEmbed:
      [.texts, .inputType, .truncate, .embeddingTypes, .outputDimension, .maxTokens]
    }
  }
}

/// A top-level key of one of these forms.
enum InvokeRequestKey: UInt8, RequestKey, CaseIterable {
  case model, messages, prompt, message, inputText, texts
  case maxGenLen, maxTokens, maxCompletionTokens, choices, numGenerations, serviceTier
  case temperature, topP, topK, shortP, shortK, stop, stopSequences, seed, tools, toolChoice
  case responseFormat, frequencyPenalty, presencePenalty, parallelToolCalls, reasoningEffort
  case safePrompt, logitBias, user, truncate, returnLikelihoods, chatHistory, preamble, documents
  case toolResults, rawPrompting, promptTruncation, searchQueriesOnly, forceSingleStep
  case dimensions, normalize, embeddingTypesOfTitan, inputType, embeddingTypes, outputDimension
  case stream
  /// Only Anthropic's bodies have it, and all of them.
  case anthropicVersion

  static let all = allCases

  var name: StaticString {
    switch self {
    case .model: "model"
    case .messages: "messages"
    case .prompt: "prompt"
    case .message: "message"
    case .inputText: "inputText"
    case .texts: "texts"
    case .maxGenLen: "max_gen_len"
    case .maxTokens: "max_tokens"
    case .maxCompletionTokens: "max_completion_tokens"
    case .choices: "n"
    case .numGenerations: "num_generations"
    case .serviceTier: "service_tier"
    case .temperature: "temperature"
    case .topP: "top_p"
    case .topK: "top_k"
    case .shortP: "p"
    case .shortK: "k"
    case .stop: "stop"
    case .stopSequences: "stop_sequences"
    case .seed: "seed"
    case .tools: "tools"
    case .toolChoice: "tool_choice"
    case .responseFormat: "response_format"
    case .frequencyPenalty: "frequency_penalty"
    case .presencePenalty: "presence_penalty"
    case .parallelToolCalls: "parallel_tool_calls"
    case .reasoningEffort: "reasoning_effort"
    case .safePrompt: "safe_prompt"
    case .logitBias: "logit_bias"
    case .user: "user"
    case .truncate: "truncate"
    case .returnLikelihoods: "return_likelihoods"
    case .chatHistory: "chat_history"
    case .preamble: "preamble"
    case .documents: "documents"
    case .toolResults: "tool_results"
    case .rawPrompting: "raw_prompting"
    case .promptTruncation: "prompt_truncation"
    case .searchQueriesOnly: "search_queries_only"
    case .forceSingleStep: "force_single_step"
    case .dimensions: "dimensions"
    case .normalize: "normalize"
    case .embeddingTypesOfTitan: "embeddingTypes"
    case .inputType: "input_type"
    case .embeddingTypes: "embedding_types"
    case .outputDimension: "output_dimension"
    case .stream: "stream"
    case .anthropicVersion: "anthropic_version"
    }
  }
}
