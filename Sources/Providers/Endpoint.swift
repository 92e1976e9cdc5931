// What a path means for metering.

/// What a path of an upstream means for metering.
public enum Endpoint: Hashable, Sendable {
  /// Its usage is read and charged.
  case metered(Operation)
  /// Known to cost nothing: listing models, counting tokens.
  case free
  /// Hands out, ends or deletes what was charged when it was made: a stored response, a batch, a
  /// file. The usage that it repeats is not read.
  case stored
  /// It may cost, and its usage cannot be read yet.
  case unmetered

  /// Classifies a call. Whatever is not known exactly (a doubled slash, an escaped letter, a
  /// trailing slash) is `unmetered`, so that no spelling of a path is a way round the meter.
  ///
  /// - Parameters:
  ///   - method: as sent; methods are case-sensitive.
  ///   - path: the path behind the upstream's name, with or without a query.
  public static func classify(
    dialect: DialectID, method: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer
  ) -> Endpoint {
    let path = PathTail(path)
    let isPost = equals(method, "POST")
    if dialect == .bedrock { return isPost ? bedrock(path) : .unmetered }
    guard path.isPlain else { return .unmetered }
    let isReading = equals(method, "GET") || equals(method, "HEAD")
    // Servers speak one another's dialects (a compatible endpoint, a router): what a path can only
    // mean counts, whatever the upstream's own dialect.
    if isPost {
      if path.ends(with: "/chat/completions") { return .metered(.chatCompletions) }
      if path.ends(with: "/completions") { return .metered(.completions) }
      if path.ends(with: "/embeddings"), !path.ends(with: "/api/embeddings") {
        return .metered(.embeddings)
      }
      if path.ends(with: "/responses") { return .metered(.responses) }
      if let operation = media(path) { return .metered(operation) }
      if path.ends(with: "/v1/messages") { return .metered(.messages) }
      if path.ends(with: "/v1/messages/count_tokens") { return .free }
    }
    switch dialect {
    case .openai:
      if isPost { return openAI(postTo: path) }
      if equals(method, "DELETE") {
        let deletes = ["/responses", "/chat/completions", "/files"] as [StaticString]
        return deletes.contains(where: path.isItem) ? .stored : .unmetered
      }
      guard isReading else { return .unmetered }
      if path.names("/models") { return .free }
      return isStored(path) ? .stored : .unmetered
    case .anthropic: return anthropic(path, method: method, isReading: isReading)
    case .gemini:
      if isPost {
        guard path.modelBeforeVerb != nil else { return .unmetered }
        if path.hasVerb(":generateContent") { return .metered(.generateContent) }
        if path.hasVerb(":streamGenerateContent") { return .metered(.streamGenerateContent) }
        if path.hasVerb(":embedContent") || path.hasVerb(":batchEmbedContents") {
          return .metered(.embedContent)
        }
        return path.hasVerb(":countTokens") && path.isOfModel ? .free : .unmetered
      }
      // A verb is never read: a header can make another method of this one.
      let isList = path.names("/models") && path.modelBeforeVerb == nil
      return isReading && isList ? .free : .unmetered
    case .bedrock: return .unmetered
    case .ollama: return ollama(path, isPost: isPost, isReading: isReading)
    }
  }

  /// What others do not speak, too.
  private static func openAI(postTo path: PathTail) -> Endpoint {
    // An upload costs nothing; what is made of the file may.
    let free: [StaticString] = [
      "/responses/input_tokens", "/moderations", "/v1/files", "/openai/files", "/v1/uploads",
      "/openai/uploads",
    ]
    let uploading = ["/parts", "/complete", "/cancel"] as [StaticString]
    if free.contains(where: path.ends)
      || uploading.contains(where: { path.isPart($0, ofItemIn: "/uploads") })
    {
      return .free
    }
    let batches = ["/v1/batches", "/openai/batches"] as [StaticString]
    if batches.contains(where: path.ends) { return .metered(.batches) }
    let cancels =
      path.isPart("/cancel", ofItemIn: "/responses")
      || path.isPart("/cancel", ofItemIn: "/batches")
    return cancels ? .stored : .unmetered
  }

  /// Reading a batch, or its results, costs nothing beyond what it was made for.
  private static func anthropic(
    _ path: PathTail, method: UnsafeRawBufferPointer, isReading: Bool
  ) -> Endpoint {
    if equals(method, "POST") {
      if path.ends(with: "/v1/messages/batches") { return .metered(.messageBatches) }
      return path.isPart("/cancel", ofItemIn: "/messages/batches") ? .stored : .unmetered
    }
    if equals(method, "DELETE") {
      return path.isItem(in: "/messages/batches") ? .stored : .unmetered
    }
    guard isReading else { return .unmetered }
    if path.names("/models") { return .free }
    let isBatch =
      path.ends(with: "/messages/batches") || path.isItem(in: "/messages/batches")
      || path.isPart("/results", ofItemIn: "/messages/batches")
    return isBatch ? .stored : .unmetered
  }

  /// What the requests of a batch of OpenAI's ask for whose endpoint, or `url`, this is; nil where
  /// that is not known, or its answer could not be read in a file.
  static func ofBatch(_ path: JSONText) -> Endpoint? {
    let operations: [(name: StaticString, endpoint: Endpoint)] = [
      ("/v1/chat/completions", .metered(.chatCompletions)),
      ("/v1/completions", .metered(.completions)), ("/v1/embeddings", .metered(.embeddings)),
      ("/v1/responses", .metered(.responses)), ("/v1/moderations", .free),
      ("/v1/images/generations", .metered(.images)), ("/v1/images/edits", .metered(.images)),
    ]
    // Azure leaves the version out.
    return operations.first { name, _ in
      path.equals(name)
        || path.isWhole && name.withUTF8Buffer { $0[3...] }.elementsEqual(path.bytes)
    }?.endpoint
  }

  /// The `api-version` of a path's query, which Azure wants in every request; nil: it names none.
  public static func apiVersion(of path: UnsafeRawBufferPointer) -> String? {
    PathTail(path).queryValue("api-version")
  }

  /// Pictures and sound; nil for other paths.
  private static func media(_ path: PathTail) -> Operation? {
    let pictures = ["/images/generations", "/images/edits", "/images/variations"] as [StaticString]
    if pictures.contains(where: path.ends) { return .images }
    if path.ends(with: "/audio/speech") { return .speech }
    let isTranscription =
      path.ends(with: "/audio/transcriptions") || path.ends(with: "/audio/translations")
    return isTranscription ? .transcriptions : nil
  }

  private static func ollama(_ path: PathTail, isPost: Bool, isReading: Bool) -> Endpoint {
    if isPost {
      if path.ends(with: "/api/chat") { return .metered(.ollamaChat) }
      if path.ends(with: "/api/generate") { return .metered(.ollamaGenerate) }
      if path.ends(with: "/api/embed") || path.ends(with: "/api/embeddings") {
        return .metered(.ollamaEmbed)
      }
      return path.ends(with: "/api/show") ? .free : .unmetered
    }
    let reads = ["/api/tags", "/api/version", "/api/ps", "/v1/models"] as [StaticString]
    return isReading && reads.contains(where: path.ends) ? .free : .unmetered
  }

  /// A POST to Bedrock.
  private static func bedrock(_ path: PathTail) -> Endpoint {
    guard let model = path.bedrockModel else { return .unmetered }
    if path.ends(with: "/converse") { return .metered(.converse) }
    if path.ends(with: "/converse-stream") { return .metered(.converseStream) }
    if path.ends(with: "/invoke") {
      return .metered(InvokeForm(model: model).isEmbedding ? .invokeEmbed : .invokeModel)
    }
    if path.ends(with: "/invoke-with-response-stream") { return .metered(.invokeModelStream) }
    return path.ends(with: "/count-tokens") ? .free : .unmetered
  }

  /// What OpenAI keeps. A GET of `/responses` itself is not among it: it can open a WebSocket,
  /// which costs.
  private static func isStored(_ path: PathTail) -> Bool {
    let items = ["/responses", "/chat/completions", "/files", "/batches"] as [StaticString]
    let lists = ["/files", "/batches", "/chat/completions"] as [StaticString]
    return items.contains(where: path.isItem) || lists.contains(where: path.ends)
      || path.isPart("/input_items", ofItemIn: "/responses")
      || path.isPart("/messages", ofItemIn: "/chat/completions")
      || path.isPart("/content", ofItemIn: "/files")
  }

  /// As `classify(dialect:method:path:)`, for strings.
  public static func classify(dialect: DialectID, method: String, path: String) -> Endpoint {
    var (method, path) = (method, path)
    return method.withUTF8 { method in
      path.withUTF8 { path in
        classify(
          dialect: dialect, method: UnsafeRawBufferPointer(method),
          path: UnsafeRawBufferPointer(path))
      }
    }
  }
}
