// The header fields that a gateway acts on, told apart once while the head is read.
// A lookup or a drop is then a compare of one byte, not of names.

/// A header field known by name; `other` is every name that is not listed.
public enum KnownField: UInt8, Sendable, CaseIterable {
  case other
  case accept, acceptEncoding, apiKey, anthropicVersion, authorization
  case cacheControl, connection, contentEncoding, contentLength, contentType, cookie
  case date, expect, forwarded, host, http2Settings, keepAlive
  /// Every name that begins with `proxy-`.
  case proxy
  case requestID, retryAfter, secWebSocketExtensions, server, setCookie, te, trailer
  case transferEncoding, upgrade
  case userAgent, via, xAmzContentSHA256, xAmzDate, xAmzSecurityToken, xAPIKey
  case xForwardedFor, xForwardedHost, xForwardedProto, xGoogAPIKey
  case xGoogFieldMask, xLeewayTag, xLeewayUser, xRequestID, xShouldRetry

  /// The name in lower case; empty for `other`, the common prefix for `proxy`.
  public var name: StaticString {
    switch self {
    case .other: ""
    case .accept: "accept"
    case .acceptEncoding: "accept-encoding"
    case .apiKey: "api-key"
    case .anthropicVersion: "anthropic-version"
    case .authorization: "authorization"
    case .cacheControl: "cache-control"
    case .connection: "connection"
    case .contentEncoding: "content-encoding"
    case .contentLength: "content-length"
    case .contentType: "content-type"
    case .cookie: "cookie"
    case .date: "date"
    case .expect: "expect"
    case .forwarded: "forwarded"
    case .host: "host"
    case .http2Settings: "http2-settings"
    case .keepAlive: "keep-alive"
    case .proxy: "proxy-"
    case .requestID: "request-id"
    case .retryAfter: "retry-after"
    case .secWebSocketExtensions: "sec-websocket-extensions"
    case .server: "server"
    case .setCookie: "set-cookie"
    case .te: "te"
    case .trailer: "trailer"
    case .transferEncoding: "transfer-encoding"
    case .upgrade: "upgrade"
    case .userAgent: "user-agent"
    case .via: "via"
    case .xAmzContentSHA256: "x-amz-content-sha256"
    case .xAmzDate: "x-amz-date"
    case .xAmzSecurityToken: "x-amz-security-token"
    case .xAPIKey: "x-api-key"
    case .xForwardedFor: "x-forwarded-for"
    case .xForwardedHost: "x-forwarded-host"
    case .xForwardedProto: "x-forwarded-proto"
    case .xGoogAPIKey: "x-goog-api-key"
    case .xGoogFieldMask: "x-goog-fieldmask"
    case .xLeewayTag: "x-leeway-tag"
    case .xLeewayUser: "x-leeway-user"
    case .xRequestID: "x-request-id"
    case .xShouldRetry: "x-should-retry"
    }
  }

  /// The field of a name whose bytes are all token characters.
  static func identify(_ bytes: UnsafeRawBufferPointer, _ name: Range<Int>) -> KnownField {
    // Length and first letter leave at most one or two candidates.
    let first = bytes[name.lowerBound] | 0x20
    let candidate: KnownField
    switch (name.count, first) {
    case (2, 0x74): candidate = .te
    case (3, 0x76): candidate = .via
    case (4, 0x64): candidate = .date
    case (4, 0x68): candidate = .host
    case (6, 0x61): candidate = .accept
    case (6, 0x63): candidate = .cookie
    case (6, 0x65): candidate = .expect
    case (6, 0x73): candidate = .server
    case (7, 0x61): candidate = .apiKey
    case (7, 0x74): candidate = .trailer
    case (7, 0x75): candidate = .upgrade
    case (9, 0x66): candidate = .forwarded
    case (9, 0x78): candidate = .xAPIKey
    case (10, 0x63): candidate = .connection
    case (10, 0x6B): candidate = .keepAlive
    case (10, 0x72): candidate = .requestID
    case (10, 0x73): candidate = .setCookie
    case (10, 0x75): candidate = .userAgent
    case (10, 0x78): candidate = .xAmzDate
    case (11, 0x72): candidate = .retryAfter
    case (12, 0x63): candidate = .contentType
    case (12, 0x78): return match(bytes, name, (.xRequestID, .xLeewayTag))
    case (13, 0x61): candidate = .authorization
    case (13, 0x63): candidate = .cacheControl
    case (13, 0x78): candidate = .xLeewayUser
    case (14, 0x63): candidate = .contentLength
    case (14, 0x68): candidate = .http2Settings
    case (14, 0x78): return match(bytes, name, (.xGoogAPIKey, .xShouldRetry))
    case (15, 0x61): candidate = .acceptEncoding
    case (15, 0x78): candidate = .xForwardedFor
    case (16, 0x63): candidate = .contentEncoding
    case (16, 0x78): return match(bytes, name, (.xForwardedHost, .xGoogFieldMask))
    case (17, 0x61): candidate = .anthropicVersion
    case (17, 0x74): candidate = .transferEncoding
    case (17, 0x78): candidate = .xForwardedProto
    case (20, 0x78): return match(bytes, name, (.xAmzContentSHA256, .xAmzSecurityToken))
    case (24, 0x73): candidate = .secWebSocketExtensions
    case (7..., 0x70): candidate = .proxy
    default: return .other
    }
    let compared = candidate == .proxy ? name.lowerBound..<name.lowerBound + 6 : name
    return ByteClass.equals(bytes, compared, candidate.name) ? candidate : .other
  }

  private static func match(
    _ bytes: UnsafeRawBufferPointer, _ name: Range<Int>,
    _ candidates: (KnownField, KnownField)
  ) -> KnownField {
    if ByteClass.equals(bytes, name, candidates.0.name) { return candidates.0 }
    if ByteClass.equals(bytes, name, candidates.1.name) { return candidates.1 }
    return .other
  }
}

/// A set of known fields.
public struct FieldSet: OptionSet, Sendable {
  public let rawValue: UInt64

  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The set of one field.
  @inlinable public init(_ field: KnownField) { rawValue = 1 << UInt64(field.rawValue) }

  @inlinable public init(_ fields: KnownField...) {
    rawValue = fields.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
  }

  @inlinable public func contains(_ field: KnownField) -> Bool {
    rawValue & (1 << UInt64(field.rawValue)) != 0
  }

  /// Fields that hold for one connection only (RFC 9110 section 7.6.1): never relayed.
  public static let hopByHop = FieldSet(
    .connection, .http2Settings, .keepAlive, .proxy, .te, .trailer, .transferEncoding, .upgrade)

  /// The fields in which SDKs send a key.
  public static let keys = FieldSet(.authorization, .xAPIKey, .apiKey, .xGoogAPIKey)

  /// The fields that an app says to the gateway alone.
  public static let ours = FieldSet(.xLeewayTag, .xLeewayUser)

  /// The fields beside `authorization` that make up a signature of AWS's version 4.
  public static let signature = FieldSet(.xAmzContentSHA256, .xAmzDate, .xAmzSecurityToken)
}
