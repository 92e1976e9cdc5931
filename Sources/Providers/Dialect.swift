// The wire formats that callers and providers speak, and how a call's format is told.
//
// The provider cannot be told from the path alone: `GET /v1/models` belongs to three of them. The
// path decides where it can, then the headers, then the upstream's own dialect.

/// A family of wire formats.
public enum DialectID: String, Sendable, Codable, CaseIterable {
  case openai
  case anthropic
  case gemini
  case bedrock
  case ollama
}

/// Headers that tell a dialect; the gateway collects them while it reads the head.
public struct DialectSigns: OptionSet, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `anthropic-version` was sent.
  public static let anthropicVersion = DialectSigns(rawValue: 1)
  /// `x-goog-api-key` was sent.
  public static let googKey = DialectSigns(rawValue: 2)

  /// The sign that a header of this name is, in any case of letters; none for other headers.
  public static func sign(ofHeader name: UnsafeRawBufferPointer) -> DialectSigns {
    if equalsIgnoringCase(name, "anthropic-version") { return .anthropicVersion }
    if equalsIgnoringCase(name, "x-goog-api-key") { return .googKey }
    return []
  }
}

extension DialectID {
  /// The dialect that the caller speaks, so that a refusal reaches it in its own shape.
  ///
  /// - Parameters:
  ///   - path: the path as the caller sent it, with or without the upstream's name and a query.
  ///   - signs: what the headers tell.
  ///   - fallback: the upstream's dialect.
  public static func guess(
    path: UnsafeRawBufferPointer, signs: DialectSigns, fallback: DialectID
  ) -> DialectID {
    let path = PathTail(path)
    if path.hasVerb(":generateContent") || path.hasVerb(":streamGenerateContent")
      || path.hasVerb(":countTokens") || path.hasVerb(":embedContent")
      || path.hasVerb(":batchEmbedContents")
    {
      return .gemini
    }
    if path.ends(with: "/messages") && !path.contains("/threads/")
      || path.ends(with: "/messages/count_tokens") || path.contains("/messages/batches")
    {
      return path.contains("/chat/completions/") ? .openai : .anthropic
    }
    if path.ends(with: "/converse") || path.ends(with: "/converse-stream")
      || path.ends(with: "/invoke") || path.ends(with: "/invoke-with-response-stream")
    {
      return .bedrock
    }
    if path.ends(with: "/api/chat") || path.ends(with: "/api/generate")
      || path.ends(with: "/api/embed") || path.ends(with: "/api/embeddings")
    {
      return .ollama
    }
    if path.ends(with: "/chat/completions") || path.ends(with: "/completions")
      || path.ends(with: "/responses") || path.ends(with: "/embeddings")
      || path.contains("/images/") || path.contains("/audio/")
    {
      return .openai
    }
    if signs.contains(.anthropicVersion) { return .anthropic }
    if signs.contains(.googKey) { return .gemini }
    return fallback
  }

  /// As `guess(path:signs:fallback:)`, for a path that is a string.
  public static func guess(
    path: String, signs: DialectSigns = [], fallback: DialectID
  ) -> DialectID {
    var path = path
    return path.withUTF8 {
      guess(path: UnsafeRawBufferPointer($0), signs: signs, fallback: fallback)
    }
  }
}
