// An upstream that does exactly what a test's script says, and remembers what it was sent.

import Foundation
import Glibc
import Synchronization
import TestSupport

final class ScriptedUpstream: Sendable {
  struct Request: Sendable {
    var head: String
    var body: [UInt8]
    /// Which connection, and which request on it, both from 0.
    var connection: Int
    var number: Int

    var text: String { String(decoding: body, as: UTF8.self) }
  }

  enum Step: Sendable {
    case send(String)
    case bytes([UInt8])
    case pause(milliseconds: Int)
    /// Reads one frame of a WebSocket's client and records its payload, unmasked.
    case receiveFrame
    /// Waits until the test opens the gate.
    case wait(Gate)
    case close
    case reset
    /// Reads and throws away until the peer closes, and records that it did.
    case expectClose
  }

  private let listener: Int32
  let port: Int
  private let script: @Sendable (Request) -> [Step]
  private let recorded = Mutex<[Request]>([])
  private let receivedFrames = Mutex<[[UInt8]]>([])
  private let closedByPeer = Atomic<Int>(0)
  private let sentBytes = Atomic<Int>(0)

  init(_ script: @escaping @Sendable (Request) -> [Step]) throws {
    (listener, port) = try listeningSocket()
    self.script = script
    let thread = Thread { [self] in accept() }
    thread.start()
  }

  /// Payloads of the frames that were received, a close frame's code included.
  var frames: [[UInt8]] { receivedFrames.withLock { $0 } }

  private static func frame(_ socket: RawSocket) throws -> [UInt8] {
    let head = try socket.receive(count: 2)
    let mask = try socket.receive(count: 4)
    let payload = try socket.receive(count: Int(head[1] & 0x7F))
    return payload.enumerated().map { $1 ^ mask[$0 % 4] }
  }

  var requests: [Request] { recorded.withLock { $0 } }
  var closesSeen: Int { closedByPeer.load(ordering: .relaxed) }
  var bytesSent: Int { sentBytes.load(ordering: .relaxed) }

  /// Stops listening; connections that are open go on.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    Glibc.close(listener)
  }

  private func accept() {
    var count = 0
    while true {
      let descriptor = Glibc.accept(listener, nil, nil)
      guard descriptor >= 0 else { return }
      let connection = count
      count += 1
      let socket = RawSocket(descriptor: descriptor, patienceSeconds: 120)
      let thread = Thread { [self] in try? serve(socket, connection: connection) }
      thread.stackSize = 1 << 19
      thread.start()
    }
  }

  private func serve(_ socket: RawSocket, connection: Int) throws {
    var number = 0
    while true {
      let head = String(decoding: try socket.receive(through: "\r\n\r\n"), as: UTF8.self)
      let length = RawAnswer(status: 0, head: head, body: []).header("content-length")
      let body = try socket.receive(count: length.flatMap { Int($0) } ?? 0)
      let request = Request(head: head, body: body, connection: connection, number: number)
      recorded.withLock { $0.append(request) }
      for step in script(request) {
        switch step {
        case .send(let text): try send(Array(text.utf8), socket)
        case .bytes(let bytes): try send(bytes, socket)
        case .pause(let milliseconds): usleep(UInt32(milliseconds) * 1000)
        case .receiveFrame:
          let payload = try Self.frame(socket)
          receivedFrames.withLock { $0.append(payload) }
        case .wait(let gate): gate.wait()
        case .close: return socket.close()
        case .reset: return socket.reset()
        case .expectClose:
          _ = try socket.receiveAll()
          closedByPeer.add(1, ordering: .relaxed)
          return
        }
      }
      number += 1
    }
  }

  private func send(_ bytes: [UInt8], _ socket: RawSocket) throws {
    for start in stride(from: 0, to: bytes.count, by: 16_384) {
      let piece = Array(bytes[start..<min(start + 16_384, bytes.count)])
      try socket.send(piece)
      sentBytes.add(piece.count, ordering: .relaxed)
    }
  }
}

/// Opens once, for all that wait.
final class Gate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)

  func open() { semaphore.signal() }

  func wait() {
    _ = semaphore.wait(timeout: .now() + 20)
    semaphore.signal()
  }
}

/// Bodies and heads that tests share.
/// What is said one after the other, and the last one for ever.
final class SaidAnswers: Sendable {
  private let left = Mutex<[String]>([])

  func set(_ answers: [String]) { left.withLock { $0 = answers } }

  func next() -> String { left.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? "" } }
}

enum Script {
  static func json(_ body: String, status: String = "200 OK", headers: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(headers)"
      + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  /// A chat completion that used 10 input and `output` output tokens.
  static func completion(output: Int = 5, model: String = "gpt-test") -> String {
    #"{"id":"c1","object":"chat.completion","model":"\#(model)","choices":[{"index":0,"message":"#
      + #"{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"#
      + #""usage":{"prompt_tokens":10,"completion_tokens":\#(output),"#
      + #""total_tokens":\#(10 + output)}}"#
  }

  static let streamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

  static func chunk(_ text: String) -> String {
    String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n"
  }

  static let lastChunk = "0\r\n\r\n"

  static func event(_ text: String) -> String {
    #"data: {"id":"c1","model":"gpt-test","choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"#
      + "\n\n"
  }

  static let usageEvent =
    #"data: {"id":"c1","model":"gpt-test","choices":[],"usage":{"prompt_tokens":10,"#
    + #""completion_tokens":7,"total_tokens":17}}"# + "\n\n"

  static let done = "data: [DONE]\n\n"
}
