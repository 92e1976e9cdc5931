// What a metered call asks a provider to do: how its request is peeked and its answer read.
//
// The one place where a dialect's parts are put together; everything after it sees a peeked request
// and a reader.

/// A metered operation of a dialect. Raw values stand nowhere but in memory.
public enum Operation: UInt8, Sendable, CaseIterable {
  // OpenAI
  case chatCompletions
  /// The legacy completions of a prompt.
  case completions
  case responses
  case embeddings
  /// Pictures made, edited or varied.
  case images
  case speech
  /// What a sound says, written down or translated.
  case transcriptions
  /// A session of the Realtime API over a WebSocket.
  case realtime
  /// The Responses API's socket mode.
  case responsesSocket
  /// Many requests in a file, answered within a day.
  case batches
  // Anthropic
  case messages
  /// Many messages, answered within a day.
  case messageBatches
  // Gemini
  case generateContent
  case streamGenerateContent
  /// One text, or a batch of them.
  case embedContent
  // Bedrock
  case converse
  case converseStream
  /// A body in the form of the model's maker, as in its answer.
  case invokeModel
  case invokeModelStream
  /// As `invokeModel`, of a model that answers with vectors.
  case invokeEmbed
  // Ollama
  case ollamaChat
  case ollamaGenerate
  case ollamaEmbed

  /// Peeks a whole body.
  ///
  /// - Parameters:
  ///   - body: the bytes, not kept. Time is linear; strings read allocate, nothing else.
  ///   - path: the path behind the upstream's name, with or without a query: some dialects name
  ///     the model there.
  ///   - form: how the body is written; only asked where `takesForm`.
  public func peek(
    _ body: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer, form: RequestForm = .json
  ) throws(PeekFault) -> PeekedRequest {
    switch self {
    case .chatCompletions: try ChatRequestSink.peek(body).of(PathTail(path).deployment)
    case .completions: try CompletionsRequestSink.peek(body).of(PathTail(path).deployment)
    case .responses: try ResponsesRequestSink.peek(body).of(PathTail(path).deployment)
    case .embeddings: try EmbeddingsRequestSink.peek(body).of(PathTail(path).deployment)
    case .images:
      try ImageRequestSink.request(body, form: form, deployment: PathTail(path).deployment)
    case .speech:
      try SpeechRequestSink.request(body, form: form, deployment: PathTail(path).deployment)
    case .transcriptions:
      try TranscriptionRequest.peek(body, form: form, deployment: PathTail(path).deployment)
    case .realtime: .realtime(path: PathTail(path))
    case .responsesSocket: .responsesSocket
    case .batches: try BatchRequestSink.peek(body)
    case .messages: try MessagesRequestSink.peek(body)
    case .messageBatches: try MessageBatchRequestSink.request(body)
    case .generateContent, .streamGenerateContent, .embedContent:
      try .gemini(body, path: PathTail(path), self)
    case .converse, .converseStream:
      try .converse(body, path: PathTail(path), isStream: self == .converseStream)
    case .invokeModel, .invokeModelStream, .invokeEmbed:
      try .invoke(body, path: PathTail(path), isStream: self == .invokeModelStream)
    case .ollamaChat, .ollamaGenerate, .ollamaEmbed: try .ollama(body, self)
    }
  }

  /// As `peek(_:path:)`, for an array.
  public func peek(
    _ body: [UInt8], path: String = "/", form: RequestForm = .json
  ) throws(PeekFault) -> PeekedRequest {
    var path = path
    let result = path.withUTF8 { path in
      body.withUnsafeBytes { bytes -> Result<PeekedRequest, PeekFault> in
        do throws(PeekFault) {
          return .success(try peek(bytes, path: UnsafeRawBufferPointer(path), form: form))
        } catch {
          return .failure(error)
        }
      }
    }
    return try result.get()
  }

  /// A reader of an answer that is one JSON document.
  public func answerReader() -> any PayloadReader {
    switch self {
    // A socket that was not opened is answered with an error's body, at the most.
    case .chatCompletions, .completions, .embeddings, .realtime: AnswerReader<ChatAnswerSink>()
    case .images: AnswerReader<MediaAnswerSink<PictureMedium>>()
    case .speech: AnswerReader<MediaAnswerSink<SpeechMedium>>()
    case .transcriptions: AnswerReader<MediaAnswerSink<TranscriptMedium>>()
    case .responses, .responsesSocket: AnswerReader<ResponsesAnswerSink>()
    case .messages: AnswerReader<MessagesAnswerSink>()
    case .batches: AnswerReader<BatchAnswerSink>()
    case .messageBatches: AnswerReader<MessageBatchAnswerSink>()
    case .generateContent, .streamGenerateContent, .embedContent:
      AnswerReader<GeminiAnswerSink>()
    case .converse, .converseStream: AnswerReader<ConverseAnswerSink>()
    case .invokeModel, .invokeModelStream, .invokeEmbed: AnswerReader<InvokeAnswerSink>()
    case .ollamaChat, .ollamaGenerate, .ollamaEmbed: AnswerReader<OllamaAnswerSink>()
    }
  }

  /// A reader of an answer that is a stream.
  ///
  /// - Parameter hidesUsage: whether the event that only reports usage is removed, because the
  ///   gateway asked for it and the caller did not.
  public func streamReader(hidesUsage: Bool) -> any PayloadReader {
    switch self {
    case .chatCompletions, .completions, .embeddings, .realtime:
      StreamReader<ChatAnswerSink>(hidesUsage: hidesUsage)
    case .images: StreamReader<MediaAnswerSink<PictureMedium>>(hidesUsage: false)
    case .speech: StreamReader<MediaAnswerSink<SpeechMedium>>(hidesUsage: false)
    case .transcriptions: StreamReader<MediaAnswerSink<TranscriptMedium>>(hidesUsage: false)
    case .responses, .responsesSocket: StreamReader<ResponsesAnswerSink>(hidesUsage: false)
    case .messages: StreamReader<MessagesAnswerSink>(hidesUsage: false)
    case .batches: StreamReader<BatchAnswerSink>(hidesUsage: false)
    case .messageBatches: StreamReader<MessageBatchAnswerSink>(hidesUsage: false)
    case .generateContent, .streamGenerateContent, .embedContent:
      StreamReader<GeminiAnswerSink>(hidesUsage: false)
    case .converse, .converseStream: EventStreamReader<ConverseAnswerSink>()
    case .invokeModel, .invokeModelStream, .invokeEmbed: EventStreamReader<InvokeFrameSink>()
    case .ollamaChat, .ollamaGenerate, .ollamaEmbed: LineReader<OllamaAnswerSink>()
    }
  }

  /// The answer is text of a model: worth a sample.
  public var isSampled: Bool {
    switch self {
    case .chatCompletions, .completions, .responses, .messages, .generateContent,
      .streamGenerateContent, .converse, .converseStream, .invokeModel, .invokeModelStream,
      .ollamaChat, .ollamaGenerate:
      true
    case .embeddings, .images, .speech, .transcriptions, .realtime, .responsesSocket, .batches,
      .messageBatches, .embedContent, .invokeEmbed, .ollamaEmbed:
      false
    }
  }

  /// The call opens a WebSocket: its responses are calls of their own, metered as they end.
  public var isSocket: Bool {
    switch self {
    case .realtime, .responsesSocket: true
    default: false
    }
  }

  /// Its body may be a form, so that its content type decides how it is read.
  public var takesForm: Bool {
    switch self {
    case .images, .speech, .transcriptions: true
    default: false
    }
  }

  /// Heads of its requests and answers say what it costs, beside their bodies.
  public var hasCostInHead: Bool {
    switch self {
    case .invokeModel, .invokeModelStream, .invokeEmbed: true
    default: false
    }
  }

  /// The text of a sampled answer.
  ///
  /// - Parameter isStream: whether the body is a stream, in the dialect's own form.
  public func outputText(of body: [UInt8], isStream: Bool) -> OutputText {
    switch self {
    case .chatCompletions, .completions: ChatGathering.extract(body, isStream: isStream)
    case .responses: ResponsesGathering.extract(body, isStream: isStream)
    case .generateContent, .streamGenerateContent:
      GeminiGathering.extract(body, isStream: isStream)
    case .converse: ConverseGathering.extract(body, isStream: false)
    case .converseStream:
      isStream
        ? ConverseGathering.extract(frames: body)
        : ConverseGathering.extract(body, isStream: false)
    case .ollamaChat, .ollamaGenerate: OllamaGathering.extract(body)
    case .invokeModel: InvokeGathering.extract(body, isStream: false)
    case .invokeModelStream:
      isStream
        ? InvokeGathering.extract(frames: body) : InvokeGathering.extract(body, isStream: false)
    case .embeddings, .images, .speech, .transcriptions, .realtime, .responsesSocket, .batches,
      .messageBatches, .embedContent, .invokeEmbed, .ollamaEmbed:
      OutputText()
    case .messages: MessagesGathering.extract(body, isStream: isStream)
    }
  }

  /// The text of a sampled request: its messages, one paragraph each, `role: text`. Parts that are
  /// no text stand as `[image]`; tool calls as JSON. Empty where the body cannot be read.
  public func inputText(of body: [UInt8]) -> String {
    switch self {
    case .chatCompletions, .completions: ChatInputText.extract(body)
    case .responses: ResponsesInputText.extract(body)
    case .generateContent, .streamGenerateContent: GeminiInputText.extract(body)
    case .converse, .converseStream: ConverseInputText.extract(body)
    case .ollamaChat, .ollamaGenerate: OllamaInputText.extract(body)
    case .invokeModel, .invokeModelStream: InvokeInputText.extract(body)
    case .embeddings, .images, .speech, .transcriptions, .realtime, .responsesSocket, .batches,
      .messageBatches, .embedContent, .invokeEmbed, .ollamaEmbed:
      ""
    case .messages: MessagesInputText.extract(body)
    }
  }
}
