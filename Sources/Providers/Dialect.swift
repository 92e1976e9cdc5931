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
    if path.ends(with: "/chat/completions") || path.ends(with: "/completions")
      || path.ends(with: "/responses") || path.ends(with: "/embeddings")
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

/// What a path of an upstream means for metering.
public enum Endpoint: Hashable, Sendable {
  /// Chat completions in the OpenAI dialect: read and metered.
  case chatCompletions
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
    switch dialect {
    case .openai:
      if isPost {
        if path.ends(with: "/chat/completions") { return .chatCompletions }
        return path.ends(with: "/responses/input_tokens") ? .free : .unmetered
      }
      guard isReading else { return .unmetered }
      // Nothing else that is read: a GET of `/responses` can open a WebSocket, which costs, and a
      // stored completion repeats the usage of a call that was charged.
      return path.names("/models") ? .free : .unmetered
    case .anthropic:
      if isPost { return path.ends(with: "/messages/count_tokens") ? .free : .unmetered }
      return isReading && path.names("/models") ? .free : .unmetered
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

/// A path without its query, asked about its end.
private struct PathTail {
  let bytes: UnsafeRawBufferPointer

  init(_ path: UnsafeRawBufferPointer) {
    let end = path.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
    bytes = UnsafeRawBufferPointer(rebasing: path[..<(end ?? path.count)])
  }

  /// No escapes, no empty and no dot segments: the path means what it says.
  var isPlain: Bool {
    var before: UInt8 = 0
    for (index, byte) in bytes.enumerated() {
      if byte == UInt8(ascii: "%") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\\") {
        return false
      }
      if before == UInt8(ascii: "/") {
        if byte == UInt8(ascii: "/") { return false }
        if byte == UInt8(ascii: "."), isDotSegment(from: index) { return false }
      }
      before = byte
    }
    return bytes.first == UInt8(ascii: "/")
  }

  private func isDotSegment(from index: Int) -> Bool {
    var index = index
    while index < bytes.count, bytes[index] == UInt8(ascii: ".") { index += 1 }
    return index == bytes.count || bytes[index] == UInt8(ascii: "/")
  }

  func ends(with tail: StaticString) -> Bool {
    let count = tail.utf8CodeUnitCount
    guard bytes.count >= count else { return false }
    return equals(UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - count)...]), tail)
  }

  /// Whether the last segment ends in this verb, as Gemini's `models/M:generateContent` does.
  func hasVerb(_ verb: StaticString) -> Bool { ends(with: verb) }

  func contains(_ part: StaticString) -> Bool { range(of: part) != nil }

  /// Whether the path is this collection or something below it.
  func names(_ collection: StaticString) -> Bool {
    if ends(with: collection) { return true }
    guard let end = range(of: collection)?.upperBound else { return false }
    return end + 1 < bytes.count && bytes[end] == UInt8(ascii: "/")
  }

  private func range(of part: StaticString) -> Range<Int>? {
    let count = part.utf8CodeUnitCount
    guard bytes.count >= count else { return nil }
    for start in 0...bytes.count - count
    where equals(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), part) {
      return start..<start + count
    }
    return nil
  }
}

/// Whether bytes are exactly this text.
func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
  guard bytes.count == text.utf8CodeUnitCount else { return false }
  for index in 0..<bytes.count where bytes[index] != text.utf8Start[index] { return false }
  return true
}

/// Whether bytes are this lower-case ASCII text, in any case of letters.
func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ lowercase: StaticString) -> Bool {
  guard bytes.count == lowercase.utf8CodeUnitCount else { return false }
  for index in 0..<bytes.count {
    var byte = bytes[index]
    if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { byte |= 0x20 }
    if byte != lowercase.utf8Start[index] { return false }
  }
  return true
}
