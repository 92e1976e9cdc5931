// A server that a test's provider answers through: connections that stay open, a request at a time.

import Foundation
import TestSupport

final class HTTPServer: Sendable {
  private let listener: Int32
  let port: Int

  init() throws { (listener, port) = try listeningSocket() }

  /// Answers every request by its head; its body is read and thrown away.
  func start(_ answer: @escaping @Sendable (String, RawSocket) throws -> Void) {
    startReading { head, _, socket in try answer(head, socket) }
  }

  /// Answers every request by its head and body.
  func startReading(_ answer: @escaping @Sendable (String, String, RawSocket) throws -> Void) {
    Thread { [listener] in
      while true {
        let descriptor = accept(listener, nil, nil)
        guard descriptor >= 0 else { return }
        let socket = RawSocket(descriptor: descriptor, patienceSeconds: 120)
        let thread = Thread { try? Self.serve(socket, answer) }
        thread.stackSize = 1 << 19
        thread.start()
      }
    }.start()
  }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private static func serve(
    _ socket: RawSocket, _ answer: (String, String, RawSocket) throws -> Void
  ) throws {
    while true {
      let head = String(decoding: try socket.receive(through: "\r\n\r\n"), as: UTF8.self)
      let length = RawAnswer(status: 0, head: head, body: []).header("content-length")
      let body = try socket.receive(count: length.flatMap { Int($0) } ?? 0)
      try answer(head, String(decoding: body, as: UTF8.self), socket)
    }
  }

  static func answer(_ body: String, _ socket: RawSocket) throws {
    try socket.send(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }
}
