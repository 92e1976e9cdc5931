// What a path means for metering.

/// What a path of an upstream means for metering.
public enum Endpoint: Hashable, Sendable {
  /// Its usage is read and charged.
  case metered(Operation)
  /// Known to cost nothing: listing models, counting tokens.
  case free
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
    guard path.isPlain else { return .unmetered }
    let isPost = equals(method, "POST")
    let isReading = equals(method, "GET") || equals(method, "HEAD")
    // Servers speak one another's dialects (a compatible endpoint, a router): what a path can only
    // mean counts, whatever the upstream's own dialect.
    if isPost, dialect != .bedrock {
      if path.ends(with: "/chat/completions") { return .metered(.chatCompletions) }
      if path.ends(with: "/v1/messages") { return .metered(.messages) }
      if path.ends(with: "/v1/messages/count_tokens") { return .free }
    }
    switch dialect {
    case .openai:
      if isPost { return path.ends(with: "/responses/input_tokens") ? .free : .unmetered }
      guard isReading else { return .unmetered }
      // Nothing else that is read: a GET of `/responses` can open a WebSocket, which costs, and a
      // stored completion repeats the usage of a call that was charged.
      return path.names("/models") ? .free : .unmetered
    case .anthropic:
      // Reading a batch, or its results, costs nothing beyond what it was made for.
      return isReading && (path.names("/models") || path.names("/messages/batches"))
        ? .free : .unmetered
    case .gemini:
      if isPost { return path.hasVerb(":countTokens") ? .free : .unmetered }
      return isReading && path.names("/models") ? .free : .unmetered
    case .bedrock: return .unmetered
    }
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
