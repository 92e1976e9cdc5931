// A blocking socket for tests: what goes over it is exactly what the test says, byte for byte.

import Foundation
import Glibc

/// What went wrong on a test's socket.
public struct SocketFault: Error, CustomStringConvertible {
  public let description: String

  public init(_ what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
}

/// One end of a TCP connection on loopback.
public final class RawSocket: @unchecked Sendable {  // Used by one thread at a time.
  public let descriptor: Int32
  private var buffered: [UInt8] = []
  private var isClosed = false

  /// - Parameter patienceSeconds: how long a receive waits. An upstream's is long: on a busy
  ///   machine a connection may idle for a while between two calls of one test.
  public init(descriptor: Int32, patienceSeconds: Int = 60) {
    self.descriptor = descriptor
    var limit = timeval(tv_sec: patienceSeconds, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
  }

  public convenience init(
    port: Int, receiveBufferBytes: Int32? = nil, patienceSeconds: Int = 20
  ) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw SocketFault("socket") }
    if var bytes = receiveBufferBytes {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
    }
    var address = loopback(port: port)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      Glibc.close(descriptor)
      throw SocketFault("connect")
    }
    self.init(descriptor: descriptor, patienceSeconds: patienceSeconds)
  }

  deinit { close() }

  public func close() {
    guard !isClosed else { return }
    isClosed = true
    Glibc.close(descriptor)
  }

  /// Closes with a reset, as a crashed peer's system does.
  public func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    close()
  }

  public func send(_ text: String) throws { try send(Array(text.utf8)) }

  public func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw SocketFault("send") }
      sent += count
    }
  }

  /// Some bytes; nil at the end of the stream.
  public func receive() throws -> [UInt8]? {
    if !buffered.isEmpty {
      defer { buffered = [] }
      return buffered
    }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    if count == 0 { return nil }
    guard count > 0 else {
      if errno == ECONNRESET { return nil }
      throw SocketFault("receive")
    }
    return Array(bytes.prefix(count))
  }

  /// All bytes to the end of the stream.
  public func receiveAll() throws -> [UInt8] {
    var all: [UInt8] = []
    while let bytes = try receive() { all += bytes }
    return all
  }

  /// Bytes up to and including the marker; what follows stays for the next read.
  public func receive(through marker: String) throws -> [UInt8] {
    let marker = Array(marker.utf8)
    var all: [UInt8] = []
    while true {
      if let end = all.firstRange(of: marker)?.upperBound {
        buffered = Array(all[end...])
        return Array(all[..<end])
      }
      guard let bytes = try receive() else {
        throw SocketFault("the stream ended before the marker, after \(all.count) bytes")
      }
      all += bytes
    }
  }

  public func receive(count: Int) throws -> [UInt8] {
    var all: [UInt8] = []
    while all.count < count {
      guard let bytes = try receive() else {
        throw SocketFault("the stream ended after \(all.count) of \(count) bytes")
      }
      all += bytes
    }
    buffered = Array(all[count...])
    return Array(all[..<count])
  }
}

/// A socket that listens on a free port of loopback; the caller closes it.
public func listeningSocket() throws -> (descriptor: Int32, port: Int) {
  let (descriptor, port) = try boundSocket()
  guard listen(descriptor, 256) == 0 else {
    Glibc.close(descriptor)
    throw SocketFault("listen")
  }
  return (descriptor, port)
}

/// A port of loopback where nobody answers, for as long as this lives: it is held but not listened
/// on. A port that was merely let go may be another test's a moment later.
public final class DeadPort: Sendable {
  private let descriptor: Int32
  public let port: Int

  public init() throws { (descriptor, port) = try boundSocket() }

  deinit { Glibc.close(descriptor) }
}

/// A port of loopback that is free now, for a peer that must be told one. It lies below those that
/// the system hands out by itself, so that no connection and no other socket takes it meanwhile.
public func freePort() throws -> Int {
  for _ in 0..<100 {
    guard let (descriptor, port) = try? boundSocket(port: Int.random(in: 15_000..<32_000)) else {
      continue
    }
    Glibc.close(descriptor)
    return port
  }
  throw SocketFault("find a free port")
}

private func boundSocket(port: Int = 0) throws -> (descriptor: Int32, port: Int) {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard descriptor >= 0 else { throw SocketFault("socket") }
  var address = loopback(port: port)
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let isBound = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
      bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
    }
  }
  guard isBound else {
    Glibc.close(descriptor)
    throw SocketFault("bind")
  }
  return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}

private func loopback(port: Int) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = in_port_t(port).bigEndian
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  return address
}

/// Runs blocking work on a thread of its own, so that tests do not starve each other.
public func onThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    let thread = Thread { continuation.resume(with: Result { try body() }) }
    thread.stackSize = 1 << 20
    thread.start()
  }
}
