// A request as the upstream gets it: the caller's bytes, but for what is the gateway's to say.
//
// Here, and only here, the app's key is left out and the provider's credential or signature put in.

import Metering
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
  /// - Parameter now: the time of a signature, where the upstream wants one: that of the sending,
  ///   so that a request that is sent again is signed anew.
  /// - Returns: what is left to be written after it, in order.
  func write(body: ByteBuffer, at now: Timestamp, into buffer: inout ByteBuffer) -> [ByteBuffer] {
    let count = body.readableBytes + splices.growth
    let isJoined = count <= Self.joinedBytesMax
    let signature = signatureLines(body: body, at: now)
    let headBytesMax =
      plan.headBytes.readableBytes + upstream.bytesMax + Self.ownLinesBytesMax + signature.count
    buffer.write(atMost: headBytesMax + (isJoined ? count : 0)) { cursor in
      writeHead(bodyBytes: count, signature: signature, to: &cursor)
      if isJoined { writeSpliced(body, to: &cursor) }
    }
    return isJoined ? [] : spliced(body)
  }

  /// Room for the lines below that come neither from the caller nor from the upstream's settings.
  private static let ownLinesBytesMax = 256

  private func writeHead(bodyBytes: Int, signature: [UInt8], to cursor: inout ByteCursor) {
    plan.headBytes.withUnsafeReadableBytes { bytes in
      cursor.append(plan.head.method.name)
      cursor.append(" ")
      writeTarget(bytes, to: &cursor)
      cursor.append(" HTTP/1.1\r\n")
      cursor.append(upstream.hostLine)
      writeCallersFields(bytes, to: &cursor)
    }
    if isReadPlain { cursor.append("accept-encoding: identity\r\n") }
    if plan.isSocket { cursor.append("connection: upgrade\r\nupgrade: websocket\r\n") }
    cursor.append(upstream.credentialLine)
    cursor.append(signature)
    if plan.head.framing != .none || plan.head.method == .post {
      cursor.append("content-length: ")
      cursor.append(decimal: bodyBytes)
      cursor.append("\r\n")
    }
    cursor.append("\r\n")
  }

  /// Neither usage nor links can be found through a coding.
  private var isReadPlain: Bool { plan.operation != nil || plan.linksResults }

  /// The caller's fields that go on, a line each.
  private func writeCallersFields(_ bytes: UnsafeRawBufferPointer, to sink: inout some ByteSink) {
    var dropping: FieldSet = [
      .init(.host), .init(.expect), .init(.contentLength), .keys, .ours,
    ]
    // Nor can usage be read where a mask leaves it out.
    if plan.operation != nil { dropping.insert(.init(.xGoogFieldMask)) }
    if isReadPlain { dropping.insert(.init(.acceptEncoding)) }
    // Usage cannot be read through a socket's compression either.
    if plan.isSocket { dropping.insert(.init(.secWebSocketExtensions)) }
    // What is left of a signature of the caller's own is of a request to the gateway.
    if upstream.isAWS { dropping.insert(.signature) }
    plan.head.fields.forEachRun(in: bytes, dropping: dropping) { sink.append($0) }
  }

  /// The lines of the signature, over the bytes that are sent; empty where the upstream wants none.
  private func signatureLines(body: ByteBuffer, at now: Timestamp) -> [UInt8] {
    guard let signing = upstream.signing else { return [] }
    var target: [UInt8] = []
    var lines = upstream.hostLine
    plan.headBytes.withUnsafeReadableBytes { bytes in
      writeTarget(bytes, to: &target)
      writeCallersFields(bytes, to: &lines)
    }
    var hash = SigV4.BodyHash()
    forEachPiece(of: body) { hash.add($0) }
    return signing.lines(
      method: plan.head.method.name, target: target, fieldLines: lines, body: hash, at: now)
  }

  private func writeTarget(_ bytes: UnsafeRawBufferPointer, to cursor: inout some ByteSink) {
    func write(_ range: Range<Int>) {
      if !range.isEmpty { cursor.append(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }
    upstream.pathPrefix.withUnsafeBytes { cursor.append($0) }
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
    forEachPiece(of: body) { cursor.append($0) }
  }

  /// Gives the body with the splices in it, piece by piece.
  private func forEachPiece(of body: ByteBuffer, _ use: (UnsafeRawBufferPointer) -> Void) {
    body.withUnsafeReadableBytes { bytes in
      var start = 0
      for splice in splices {
        use(UnsafeRawBufferPointer(rebasing: bytes[start..<splice.range.lowerBound]))
        splice.inserting.withUnsafeBytes(use)
        start = splice.range.upperBound
      }
      use(UnsafeRawBufferPointer(rebasing: bytes[start...]))
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
  /// Empty where the upstream wants no credential, or a signature.
  let credentialLine: [UInt8]
  /// How its requests are signed; nil: they are not.
  let signing: UpstreamSigning?
  let isAWS: Bool

  init(_ upstream: GatewayUpstream) {
    pathPrefix = Array(upstream.pathPrefix.utf8)
    hostLine = Array("host: \(upstream.authority)\r\n".utf8)
    signing = upstream.signing
    isAWS = upstream.dialect == .bedrock
    credentialLine =
      upstream.credentialValue.map { value in
        Array("\(upstream.credentialField.rawValue): \(value)\r\n".utf8)
      } ?? []
  }

  var bytesMax: Int { pathPrefix.count + hostLine.count + credentialLine.count }
}
