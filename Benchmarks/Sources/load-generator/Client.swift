// One keep-alive connection: sends a request, reads its answer, says when it is whole.

import Glibc
import Sockets

final class Client {
  enum Event {
    case nothing
    case finished
    case failed(String)
  }

  let socket: Int32
  /// Of the call under way, in monotonic nanoseconds: when it was due and when it was sent.
  private(set) var due: UInt64 = 0
  private(set) var sent: UInt64 = 0
  /// When the answer's first byte came; 0 before.
  private(set) var firstByte: UInt64 = 0
  private(set) var reads = 0
  private var reader = AnswerReader()
  private var request: [UInt8] = []
  private var offset = 0
  private var wantsWrite = true
  private let epoll: Epoll
  private let timestamps: TimestampReader?
  private let isStream: Bool

  /// Connects; the first request may be begun at once.
  init(port: UInt16, epoll: Epoll, isStream: Bool, timestamps: TimestampReader?) throws {
    socket = try TCPSocket.connect(port: port)
    self.epoll = epoll
    self.isStream = isStream
    self.timestamps = timestamps
    epoll.add(socket, Epoll.readable | Epoll.writable)
  }

  func end() { close(socket) }

  /// - Parameter due: when the call should have been sent.
  func begin(_ request: [UInt8], due: UInt64) -> Event {
    self.request = request
    self.due = due
    sent = monotonicNanoseconds()
    offset = 0
    firstByte = 0
    reads = 0
    reader.reset()
    timestamps?.reset()
    return write()
  }

  /// Handles readiness, whichever it is.
  func proceed(into buffer: UnsafeMutableRawBufferPointer) -> Event {
    if wantsWrite {
      let event = write()
      if case .failed = event { return event }
    }
    let count = read(socket, buffer.baseAddress, buffer.count)
    if count < 0 {
      if errno == EAGAIN { return .nothing }
      return .failed("read: \(String(cString: strerror(errno)))")
    }
    guard count > 0 else { return .failed("the connection was closed") }
    if firstByte == 0 { firstByte = monotonicNanoseconds() }
    reads += 1
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    let progress: AnswerReader.Progress
    if let timestamps {
      let now = monotonicNanoseconds()
      progress = reader.feed(bytes) { timestamps.take($0, now: now) }
    } else {
      progress = reader.feed(bytes)
    }
    switch progress {
    case .partial: return .nothing
    case .malformed: return .failed("malformed answer")
    case .complete: return judge()
    }
  }

  private func judge() -> Event {
    guard offset == request.count else { return .failed("answered before the request was sent") }
    guard (200..<300).contains(reader.status) else { return .failed("status \(reader.status)") }
    if isStream, !reader.tail.elementsEqual("\ndata: [DONE]\n\n".utf8.suffix(16)) {
      guard reader.tail.ends(with: "data: [DONE]\n\n") else { return .failed("stream was cut") }
    }
    return .finished
  }

  private func write() -> Event {
    while offset < request.count {
      let count = request.withUnsafeBytes { bytes in
        send(
          socket, bytes.baseAddress?.advanced(by: offset), bytes.count - offset,
          Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        // ENOTCONN: the handshake is not done.
        guard errno == EAGAIN || errno == ENOTCONN else {
          return .failed("write: \(String(cString: strerror(errno)))")
        }
        watchWrites(true)
        return .nothing
      }
      offset += count
    }
    watchWrites(false)
    return .nothing
  }

  private func watchWrites(_ wanted: Bool) {
    guard wanted != wantsWrite else { return }
    wantsWrite = wanted
    epoll.modify(socket, wanted ? Epoll.readable | Epoll.writable : Epoll.readable)
  }
}

extension [UInt8] {
  fileprivate func ends(with text: String) -> Bool {
    suffix(text.utf8.count).elementsEqual(text.utf8)
  }
}
