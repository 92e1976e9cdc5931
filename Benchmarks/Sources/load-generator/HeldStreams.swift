// Opens many streams and holds them, so that the subject's memory can be read meanwhile.

import Foundation
import Sockets

final class HeldStreams {
  private let port: UInt16
  private let count: Int
  private let requests: [[UInt8]]

  init(port: UInt16, count: Int, requests: [[UInt8]]) {
    self.port = port
    self.count = count
    self.requests = requests
  }

  /// Prints `open` once every stream has brought its first event, or `failed REASON`.
  func run() throws {
    let epoll = try Epoll()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    var clients: [Int32: Client] = [:]
    var answered = 0
    // In steps, since a burst of 10,000 connects would measure listen queues.
    while clients.count < count {
      for _ in 0..<min(100, count - clients.count) {
        let client = try Client(port: port, epoll: epoll, isStream: true, timestamps: nil)
        clients[client.socket] = client
        _ = client.begin(requests[clients.count % requests.count], due: 0)
      }
      let deadline = monotonicNanoseconds() + 10_000_000_000
      while answered < clients.count {
        guard monotonicNanoseconds() < deadline else {
          return say("failed \(clients.count - answered) streams did not begin")
        }
        var failure: String?
        epoll.wait(milliseconds: 100) { socket in
          guard let client = clients[socket] else { return }
          let wasSilent = client.reads == 0
          switch client.proceed(into: buffer) {
          case .failed(let reason): failure = reason
          case .finished: failure = "the stream ended"
          case .nothing: if wasSilent, client.reads > 0 { answered += 1 }
          }
        }
        if let failure { return say("failed \(failure)") }
      }
    }
    say("open")
    _ = readLine()
    for client in clients.values { client.end() }
  }

  private func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }
}
