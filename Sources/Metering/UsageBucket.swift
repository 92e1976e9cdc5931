// What a call can be billed for, each unit once.

/// A kind of unit that a provider bills. Model tokens first, then everything else; raw values stand
/// in the journal and in the store and are never given out twice.
public enum UsageBucket: UInt8, Sendable, Codable, CaseIterable {
  // Tokens that go in.
  case inputUncached = 0
  case cacheRead = 1
  case cacheWrite5m = 2
  case cacheWrite1h = 3
  case inputAudio = 4
  case inputImage = 5
  // Tokens that come out.
  case outputText = 6
  case outputReasoning = 7
  case outputAudio = 8
  // Tokens that few calls have.
  case cacheWrite30m = 9
  case cacheWrite12h = 10
  case cacheReadAudio = 11
  case cacheReadImage = 12
  case inputVideo = 13
  case outputImage = 14
  case outputVideo = 15
  /// Tokens of cited sources, which some search models bill beside their input.
  case citations = 16
  // Units that are no tokens.
  /// Web searches with a context of medium, or no stated, size.
  case webSearches = 32
  case webSearchesLow = 33
  case webSearchesHigh = 34
  case mapsQueries = 35
  case fileSearches = 36
  /// Sessions of a code interpreter's container.
  case codeSessions = 37
  /// Search units of a reranker.
  case queries = 38
  /// Flat fees of a request.
  case requests = 39
  case pages = 40
  case imagesIn = 41
  case imagesOut = 42
  case charactersIn = 43
  /// Milliseconds of sound that go in.
  case audioInMilliseconds = 44
  case videoInMilliseconds = 45
  /// Milliseconds of sound or film that come out.
  case outputMilliseconds = 46
  case pixelsIn = 47
  case pixelsOut = 48

  /// Which total a bucket counts towards.
  public enum Kind: Sendable { case inputTokens, outputTokens, units }

  public var kind: Kind {
    switch self {
    case .inputUncached, .cacheRead, .cacheWrite5m, .cacheWrite1h, .inputAudio, .inputImage,
      .cacheWrite30m, .cacheWrite12h, .cacheReadAudio, .cacheReadImage, .inputVideo, .citations:
      .inputTokens
    case .outputText, .outputReasoning, .outputAudio, .outputImage, .outputVideo: .outputTokens
    default: .units
    }
  }

  /// The bucket of a name; nil where there is none.
  public init?(name: String) {
    guard let bucket = Self.byName[name] else { return nil }
    self = bucket
  }

  private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.name, $0) })

  /// As reports and the store spell it: `cache_read`, `web_searches`.
  public var name: String {
    switch self {
    case .inputUncached: "input_uncached"
    case .cacheRead: "cache_read"
    case .cacheWrite5m: "cache_write_5m"
    case .cacheWrite1h: "cache_write_1h"
    case .inputAudio: "input_audio"
    case .inputImage: "input_image"
    case .outputText: "output_text"
    case .outputReasoning: "output_reasoning"
    case .outputAudio: "output_audio"
    case .cacheWrite30m: "cache_write_30m"
    case .cacheWrite12h: "cache_write_12h"
    case .cacheReadAudio: "cache_read_audio"
    case .cacheReadImage: "cache_read_image"
    case .inputVideo: "input_video"
    case .outputImage: "output_image"
    case .outputVideo: "output_video"
    case .citations: "citations"
    case .webSearches: "web_searches"
    case .webSearchesLow: "web_searches_low"
    case .webSearchesHigh: "web_searches_high"
    case .mapsQueries: "maps_queries"
    case .fileSearches: "file_searches"
    case .codeSessions: "code_sessions"
    case .queries: "queries"
    case .requests: "requests"
    case .pages: "pages"
    case .imagesIn: "images_in"
    case .imagesOut: "images_out"
    case .charactersIn: "characters_in"
    case .audioInMilliseconds: "audio_in_ms"
    case .videoInMilliseconds: "video_in_ms"
    case .outputMilliseconds: "output_ms"
    case .pixelsIn: "pixels_in"
    case .pixelsOut: "pixels_out"
    }
  }
}
