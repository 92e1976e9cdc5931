// A TCP connection without manners: what it sends is exactly what the test says.

import Foundation

/// An HTTP answer, cut into its parts and no further.
struct RawAnswer: Sendable {
  var status = 0
  var headers: [String: String] = [:]
  var body = ""
}

enum RawConnection {
  struct Failure: Error { var what: String }

  /// Sends bytes, reads until the other end closes (the request should ask for that) or 10 s pass.
  static func exchange(_ request: String, port: Int) async throws -> RawAnswer {
    try await offPool { try exchangeBlocking(request, port: port) }
  }

  /// Runs what blocks on a thread of its own: the server under test needs the tasks' threads, which
  /// on Linux are Dispatch's as well.
  static func offPool<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }

  private static func exchangeBlocking(_ request: String, port: Int) throws -> RawAnswer {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(what: "socket") }
    defer { close(descriptor) }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failure(what: "connect") }
    let bytes = Array(request.utf8)
    guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw Failure(what: "send")
    }
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = recv(descriptor, &chunk, chunk.count, 0)
      if count <= 0 { break }
      received += chunk[..<count]
    }
    return parse(String(decoding: received, as: UTF8.self))
  }

  private static func parse(_ text: String) -> RawAnswer {
    var answer = RawAnswer()
    guard let end = text.range(of: "\r\n\r\n") else { return answer }
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    answer.status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      answer.headers[line[..<colon].lowercased()] =
        line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    answer.body = String(text[end.upperBound...])
    return answer
  }
}
