// A request as the upstream gets it: the caller's bytes, but for what is the gateway's to say.
//
// Here, and only here, the app's key is left out and the provider's credential put in.

import NIOCore
import Providers
import Wire

extension ByteBuffer: ByteSink {
  public mutating func append(_ bytes: UnsafeRawBufferPointer) { writeBytes(bytes) }
}

/// Writes one request for an upstream.
struct UpstreamRequest {
  /// A body up to this size is copied behind the head, for one write; a larger one is not copied.
  private static let joinedBytesMax = 64 * 1024

  let plan: RequestPlan
  let upstream: GatewayUpstream
  let splices: [BodySplice]

  /// The bytes to write, in order.
  func parts(body: ByteBuffer) -> [ByteBuffer] {
    let count = body.readableBytes + splices.growth
    let isJoined = count <= Self.joinedBytesMax
    var head = ByteBuffer()
    head.reserveCapacity(plan.headBytes.readableBytes + 256 + (isJoined ? count : 0))
    writeHead(bodyBytes: count, to: &head)
    let pieces = spliced(body)
    guard isJoined else { return [head] + pieces }
    for piece in pieces { head.writeImmutableBuffer(piece) }
    return [head]
  }

  private func writeHead(bodyBytes: Int, to buffer: inout ByteBuffer) {
    plan.headBytes.withUnsafeReadableBytes { bytes in
      buffer.append(plan.head.method.name)
      buffer.append(" ")
      writeTarget(bytes, to: &buffer)
      buffer.append(" HTTP/1.1\r\n")
      buffer.append(field: "host", upstream.authority)
      var dropping: FieldSet = [
        .init(.host), .init(.expect), .init(.contentLength), .keys,
      ]
      if plan.endpoint == .chatCompletions { dropping.insert(.init(.acceptEncoding)) }
      plan.head.fields.writeEndToEnd(in: bytes, dropping: dropping, to: &buffer)
    }
    // Usage cannot be read through a coding.
    if plan.endpoint == .chatCompletions { buffer.append("accept-encoding: identity\r\n") }
    writeCredential(to: &buffer)
    if plan.head.framing != .none || plan.head.method == .post {
      buffer.append("content-length: ")
      buffer.append(decimal: bodyBytes)
      buffer.append("\r\n")
    }
    buffer.append("\r\n")
  }

  private func writeTarget(_ bytes: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
    func write(_ range: Range<Int>) {
      if !range.isEmpty { buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }
    buffer.append(text: upstream.pathPrefix)
    if plan.path.isEmpty, upstream.pathPrefix.isEmpty { buffer.append("/") }
    write(plan.path)
    guard let query = plan.head.query else { return }
    // With its question mark, so that leaving out the only parameter can take it along.
    let whole = query.lowerBound - 1..<query.upperBound
    guard let gap = plan.keyParameter else { return write(whole) }
    write(whole.lowerBound..<gap.lowerBound)
    write(gap.upperBound..<whole.upperBound)
  }

  private func writeCredential(to buffer: inout ByteBuffer) {
    guard let credential = upstream.credential else { return }
    switch upstream.credentialField {
    case .bearer:
      buffer.append("authorization: Bearer ")
      buffer.append(text: credential)
      buffer.append("\r\n")
    case .xAPIKey: buffer.append(field: "x-api-key", credential)
    case .apiKey: buffer.append(field: "api-key", credential)
    case .xGoogAPIKey: buffer.append(field: "x-goog-api-key", credential)
    }
  }

  /// The body with the splices in it, as slices of the caller's bytes.
  private func spliced(_ body: ByteBuffer) -> [ByteBuffer] {
    var pieces: [ByteBuffer] = []
    var rest = body
    var start = 0
    for splice in splices {
      // The splices were made from this body, in order, so that all ranges lie within it.
      if let before = rest.readSlice(length: splice.range.lowerBound - start) {
        pieces.append(before)
      }
      pieces.append(ByteBuffer(bytes: splice.inserting))
      rest.moveReaderIndex(forwardBy: splice.range.count)
      start = splice.range.upperBound
    }
    pieces.append(rest)
    return pieces.filter { $0.readableBytes > 0 }
  }
}
