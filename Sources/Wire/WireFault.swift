// What is wrong with a piece of HTTP/1.1, as a value that costs nothing to throw.
// The message is fixed text by code: bytes of a peer never reach a log or an error body.

/// Whose bytes are read: the caller's request or the upstream's answer.
public enum WireSide: UInt8, Sendable {
  case request
  case response
}

/// Bytes that are not HTTP/1.1, or that two readers could understand differently.
/// After a fault nothing more can be read from the connection: answer, if possible, and close it.
public struct WireFault: Error, Equatable, Sendable {
  /// The reason; the raw value is a bounded label for logs and metrics.
  public enum Code: String, Sendable, CaseIterable {
    case headTooLong = "head_too_long"
    case targetTooLong = "target_too_long"
    case tooManyFields = "too_many_fields"
    case bareLineFeed = "bare_line_feed"
    case leadingEmptyLine = "leading_empty_line"
    case malformedRequestLine = "malformed_request_line"
    case malformedStatusLine = "malformed_status_line"
    case unknownMethod = "unknown_method"
    case malformedTarget = "malformed_target"
    case unsupportedVersion = "unsupported_version"
    case lineFolding = "line_folding"
    case malformedFieldName = "malformed_field_name"
    case spaceBeforeColon = "space_before_colon"
    case controlCharacter = "control_character"
    case missingHost = "missing_host"
    case repeatedHost = "repeated_host"
    case malformedHost = "malformed_host"
    case targetHostMismatch = "target_host_mismatch"
    case repeatedContentLength = "repeated_content_length"
    case malformedContentLength = "malformed_content_length"
    case lengthAndChunked = "length_and_chunked"
    case repeatedTransferEncoding = "repeated_transfer_encoding"
    case unsupportedTransferEncoding = "unsupported_transfer_encoding"
    case transferEncodingInOldVersion = "transfer_encoding_in_old_version"
    case bodyNotAllowed = "body_not_allowed"
    case malformedConnection = "malformed_connection"
    case unsupportedExpectation = "unsupported_expectation"
    case malformedChunkSize = "malformed_chunk_size"
    case chunkTooLong = "chunk_too_long"
    case malformedChunkExtension = "malformed_chunk_extension"
    case chunkExtensionTooLong = "chunk_extension_too_long"
    case malformedChunkEnd = "malformed_chunk_end"
    case malformedTrailer = "malformed_trailer"
    case trailerTooLong = "trailer_too_long"
    case forbiddenTrailer = "forbidden_trailer"
  }

  public let code: Code
  /// Who sent the bytes, and so whose fault it is.
  public let side: WireSide

  public init(_ code: Code, _ side: WireSide) {
    self.code = code
    self.side = side
  }

  /// The status to answer the caller with: 4xx or 5xx by code for its own request (400, 414, 417,
  /// 431, 501, 505), always 502 for an upstream's answer.
  public var httpStatus: Int {
    if side == .response { return 502 }
    switch code {
    case .headTooLong, .tooManyFields, .trailerTooLong: return 431
    case .targetTooLong: return 414
    case .unsupportedExpectation: return 417
    case .unknownMethod, .unsupportedTransferEncoding: return 501
    case .unsupportedVersion: return 505
    default: return 400
    }
  }

  /// The same bytes fail the same way again.
  public var retryable: Bool { false }

  /// One sentence for a person: whose bytes, what is wrong, what to do.
  public var message: String {
    let origin = side == .request ? "the request" : "the upstream's answer"
    return "\(origin) is not acceptable HTTP/1.1: \(code.explanation)"
  }
}

extension WireFault: CustomStringConvertible {
  public var description: String { "\(code.rawValue): \(message)" }
}

extension WireFault.Code {
  fileprivate var explanation: String {
    switch self {
    case .headTooLong: "the head is longer than the limit; send fewer or shorter fields"
    case .targetTooLong: "the target (path and query) is longer than the limit"
    case .tooManyFields: "the head has more fields than the limit"
    case .bareLineFeed: "a line ends in a line feed without a carriage return"
    case .leadingEmptyLine: "empty lines stand before the start line"
    case .malformedRequestLine: "the request line is not METHOD SP TARGET SP VERSION"
    case .malformedStatusLine: "the status line is not VERSION SP STATUS SP REASON"
    case .unknownMethod: "the method is not one that is relayed"
    case .malformedTarget: "the target is neither a path nor an http(s) URL with a path"
    case .unsupportedVersion: "the version is neither HTTP/1.1 nor HTTP/1.0"
    case .lineFolding: "a field goes on in a folded line"
    case .malformedFieldName: "a field name is empty or has a character that names cannot have"
    case .spaceBeforeColon: "white space stands between a field name and its colon"
    case .controlCharacter: "a control character stands in a value"
    case .missingHost: "the host field is missing"
    case .repeatedHost: "the host field is there more than once"
    case .malformedHost: "the host field is not HOST or HOST:PORT"
    case .targetHostMismatch: "the target names another host than the host field"
    case .repeatedContentLength: "content-length is there more than once"
    case .malformedContentLength: "content-length is not one plain decimal number"
    case .lengthAndChunked: "content-length and transfer-encoding stand together"
    case .repeatedTransferEncoding: "transfer-encoding is there more than once"
    case .unsupportedTransferEncoding: "transfer-encoding is other than chunked alone"
    case .transferEncodingInOldVersion: "HTTP/1.0 has no transfer-encoding"
    case .bodyNotAllowed: "a body is announced where the status allows none"
    case .malformedConnection: "the connection field is not a list of field names"
    case .unsupportedExpectation: "the expectation is other than 100-continue"
    case .malformedChunkSize: "a chunk size is not a plain hexadecimal number"
    case .chunkTooLong: "a chunk is longer than the limit"
    case .malformedChunkExtension: "a chunk extension is not NAME or NAME=VALUE"
    case .chunkExtensionTooLong: "the chunk extensions are longer than the limit"
    case .malformedChunkEnd: "a chunk is not followed by the end of its line"
    case .malformedTrailer: "a trailer field is malformed"
    case .trailerTooLong: "the trailer is longer than the limit"
    case .forbiddenTrailer: "a trailer names a field that only a head may have"
    }
  }
}
