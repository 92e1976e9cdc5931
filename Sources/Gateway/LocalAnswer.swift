// Answers that the gateway gives itself, as bytes: refusals, upstream failures, bad HTTP.
//
// Always in the caller's own wire format, with a JSON body: an SDK shows the message only then.

import Metering
import NIOCore
import Providers
import Wire

/// One whole answer of the gateway's own.
struct LocalAnswer {
  /// Head and body.
  let bytes: ByteBuffer

  /// A refusal by policy.
  ///
  /// - Parameter lines: further lines of the head, each with its end.
  init(
    denial: Denial, dialect: DialectID, call: CallID?, lines: String = "", keepsAlive: Bool,
    isHead: Bool
  ) {
    let response = Refusal.render(denial, dialect: dialect, requestID: Self.requestID(call))
    bytes = Self.write(
      response.status, response.headers, response.body, call: call, lines: lines,
      keepsAlive: keepsAlive, isHead: isHead)
  }

  /// The upstream's fault.
  init(
    failure: UpstreamFailure, upstream: String, dialect: DialectID, call: CallID?,
    keepsAlive: Bool, isHead: Bool
  ) {
    self.init(
      status: failure.httpStatus, code: failure.rawValue,
      message: failure.message(upstream: upstream), dialect: dialect, call: call,
      keepsAlive: keepsAlive, isHead: isHead)
  }

  /// The request is not HTTP/1.1 as it must be; the connection closes.
  init(fault: WireFault) {
    self.init(
      status: fault.httpStatus, code: fault.code.rawValue, message: fault.message,
      dialect: .openai, call: nil, keepsAlive: false, isHead: false)
  }

  /// - Parameter message: fixed text and names from the policy, never bytes of a peer.
  init(
    status: Int, code: String, message: String, dialect: DialectID, call: CallID? = nil,
    keepsAlive: Bool = false, isHead: Bool = false
  ) {
    let response = Failure.render(
      status: status, code: code, message: message, dialect: dialect,
      requestID: Self.requestID(call))
    bytes = Self.write(
      response.status, response.headers, response.body, call: call, keepsAlive: keepsAlive,
      isHead: isHead)
  }

  /// The id that people quote when they ask about a call: its number in the ledger.
  static func requestID(_ call: CallID?) -> String {
    call.map { "leeway-\($0.number)" } ?? "leeway-none"
  }

  private static func write(
    _ status: Int, _ headers: [(String, String)], _ body: [UInt8], call: CallID?,
    lines: String = "", keepsAlive: Bool, isHead: Bool
  ) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(512 + body.count)
    buffer.writeString("HTTP/1.1 \(status) \(reason(status))\r\n")
    for (name, value) in headers { buffer.writeString("\(name): \(value)\r\n") }
    if let call { buffer.writeString("x-leeway-call: \(call.number)\r\n") }
    buffer.writeString(lines)
    buffer.writeString("content-length: \(body.count)\r\n")
    buffer.writeString(keepsAlive ? "connection: keep-alive\r\n\r\n" : "connection: close\r\n\r\n")
    if !isHead { buffer.writeBytes(body) }
    return buffer
  }

  private static func reason(_ status: Int) -> String {
    switch status {
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 408: "Request Timeout"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 417: "Expectation Failed"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: "Error"
    }
  }
}
