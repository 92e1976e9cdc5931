// Non-blocking IPv4 sockets on loopback. Nothing here reaches another machine.

import CLinux
import Glibc

/// A system call that failed, with the reason at that moment.
public struct SocketFault: Error, CustomStringConvertible {
  public let description: String

  public init(_ call: String) {
    description = "\(call): \(String(cString: strerror(errno)))"
  }
}

public enum TCPSocket {
  /// Listens on 127.0.0.1.
  ///
  /// - Parameter port: 0 picks a free one.
  /// - Returns: the descriptor and its port.
  public static func listen(port: UInt16 = 0) throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = try make()
    set(descriptor, SOL_SOCKET, SO_REUSEADDR)
    var address = loopback(port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withSockaddr(&address) { bind(descriptor, $0, size) }
    guard bound == 0, Glibc.listen(descriptor, 4_096) == 0 else { throw SocketFault("listen") }
    var length = size
    _ = withSockaddr(&address) { getsockname(descriptor, $0, &length) }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  /// A port that was free a moment ago, for a program that must be told its port.
  public static func freePort() throws -> UInt16 {
    let (descriptor, port) = try listen()
    close(descriptor)
    return port
  }

  /// The next waiting connection; nil where none is left.
  public static func accept(_ listener: Int32) -> Int32? {
    let descriptor = linux_accept(listener)
    guard descriptor >= 0 else { return nil }
    set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
    return descriptor
  }

  /// Connects without waiting for the handshake: the socket is writable when it is done.
  public static func connect(port: UInt16) throws -> Int32 {
    let descriptor = try make()
    set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
    var address = loopback(port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withSockaddr(&address) { Glibc.connect(descriptor, $0, size) }
    guard result == 0 || errno == EINPROGRESS else {
      close(descriptor)
      throw SocketFault("connect to port \(port)")
    }
    return descriptor
  }

  /// Whether somebody listens on the port.
  public static func answers(port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withSockaddr(&address) { Glibc.connect(descriptor, $0, size) } == 0
  }

  /// Raises the limit of open descriptors, the hard one too where the system lets us.
  ///
  /// - Returns: the limit that now holds.
  public static func raiseDescriptorLimit(to wanted: UInt) -> UInt {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit(rlim_cur: wanted, rlim_max: wanted)
    if setrlimit(resource, &limit) == 0 { return wanted }
    getrlimit(resource, &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(resource, &limit)
    return limit.rlim_cur
  }

  private static func make() throws -> Int32 {
    let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let descriptor = socket(AF_INET, Int32(kind), 0)
    guard descriptor >= 0 else { throw SocketFault("socket") }
    return descriptor
  }

  private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) {
    var one: Int32 = 1
    setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  private static func withSockaddr<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
  }
}

extension TCPSocket {
  /// A plain GET on loopback, to its end.
  ///
  /// - Returns: the body.
  public static func fetch(port: UInt16, path: String) throws -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    guard withSockaddr(&address, { Glibc.connect(descriptor, $0, size) }) == 0 else {
      throw SocketFault("connect to port \(port)")
    }
    let request = "GET \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\n\r\n"
    _ = request.withCString { send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    var reader = AnswerReader()
    var body: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { throw SocketFault("\(path): cut off") }
      let progress = buffer[..<count].withUnsafeBytes { bytes in
        reader.feed(bytes) { body.append(contentsOf: $0) }
      }
      guard progress != .malformed else { throw SocketFault("\(path): malformed") }
      if progress == .complete { return String(decoding: body, as: UTF8.self) }
    }
  }
}
