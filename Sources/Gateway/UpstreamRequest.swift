// A request as the upstream gets it: the caller's bytes, but for what is the gateway's to say.
//
// Here, and only here, the app's key is left out and the provider's credential put in.

import NIOCore
import Providers
import Wire

/// Writes one request for an upstream.
struct UpstreamRequest {
  /// A body up to this size is copied behind the head, for one write; a larger one is not copied.
  private static let joinedBytesMax = 64 * 1024

  let plan: RequestPlan
  let upstream: UpstreamLines
  let splices: [BodySplice]

  /// Writes the head, and behind it the body where that is short enough to be copied.
  ///
  /// - Returns: what is left to be written after it, in order.
  func write(body: ByteBuffer, into buffer: inout ByteBuffer) -> [ByteBuffer] {
    let count = body.readableBytes + splices.growth
    let isJoined = count <= Self.joinedBytesMax
    let headBytesMax =
      plan.headBytes.readableBytes + upstream.bytesMax + Self.ownLinesBytesMax
    buffer.write(atMost: headBytesMax + (isJoined ? count : 0)) { cursor in
      writeHead(bodyBytes: count, to: &cursor)
      if isJoined { writeSpliced(body, to: &cursor) }
    }
    return isJoined ? [] : spliced(body)
  }

  /// Room for the lines below that come neither from the caller nor from the upstream's settings.
  private static let ownLinesBytesMax = 256

  private func writeHead(bodyBytes: Int, to cursor: inout ByteCursor) {
    let isMetered = plan.operation != nil
    plan.headBytes.withUnsafeReadableBytes { bytes in
      cursor.append(plan.head.method.name)
      cursor.append(" ")
      writeTarget(bytes, to: &cursor)
      cursor.append(" HTTP/1.1\r\n")
      cursor.append(upstream.hostLine)
      var dropping: FieldSet = [
        .init(.host), .init(.expect), .init(.contentLength), .keys,
      ]
      // Usage cannot be read through a coding, nor where a mask leaves it out.
      if isMetered { dropping.insert(FieldSet(.acceptEncoding, .xGoogFieldMask)) }
      // Usage cannot be read through a socket's compression either.
      if plan.isSocket { dropping.insert(.init(.secWebSocketExtensions)) }
      plan.head.fields.forEachRun(in: bytes, dropping: dropping) { cursor.append($0) }
    }
    if isMetered { cursor.append("accept-encoding: identity\r\n") }
    if plan.isSocket { cursor.append("connection: upgrade\r\nupgrade: websocket\r\n") }
    cursor.append(upstream.credentialLine)
    if plan.head.framing != .none || plan.head.method == .post {
      cursor.append("content-length: ")
      cursor.append(decimal: bodyBytes)
      cursor.append("\r\n")
    }
    cursor.append("\r\n")
  }

  private func writeTarget(_ bytes: UnsafeRawBufferPointer, to cursor: inout ByteCursor) {
    func write(_ range: Range<Int>) {
      if !range.isEmpty { cursor.append(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }
    cursor.append(upstream.pathPrefix)
    if plan.path.isEmpty, upstream.pathPrefix.isEmpty { cursor.append("/") }
    write(plan.path)
    guard let query = plan.head.query else { return }
    // With its question mark, so that leaving out the only parameter can take it along.
    let whole = query.lowerBound - 1..<query.upperBound
    guard let gap = plan.keyParameter else { return write(whole) }
    write(whole.lowerBound..<gap.lowerBound)
    write(gap.upperBound..<whole.upperBound)
  }

  private func writeSpliced(_ body: ByteBuffer, to cursor: inout ByteCursor) {
    body.withUnsafeReadableBytes { bytes in
      var start = 0
      for splice in splices {
        cursor.append(UnsafeRawBufferPointer(rebasing: bytes[start..<splice.range.lowerBound]))
        cursor.append(splice.inserting)
        start = splice.range.upperBound
      }
      cursor.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
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

/// The parts of a request that are the same in every one to an upstream, as bytes.
struct UpstreamLines: Sendable {
  let pathPrefix: [UInt8]
  let hostLine: [UInt8]
  /// Empty where the upstream wants no credential.
  let credentialLine: [UInt8]

  init(_ upstream: GatewayUpstream) {
    pathPrefix = Array(upstream.pathPrefix.utf8)
    hostLine = Array("host: \(upstream.authority)\r\n".utf8)
    credentialLine =
      upstream.credential.map { credential in
        let scheme = upstream.credentialField == .bearer ? "Bearer " : ""
        return Array("\(upstream.credentialField.rawValue): \(scheme)\(credential)\r\n".utf8)
      } ?? []
  }

  var bytesMax: Int { pathPrefix.count + hostLine.count + credentialLine.count }
}
