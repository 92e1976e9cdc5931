// Reads one HTTP/1.1 answer as its bytes come, and is strict: a benchmark of broken answers is
// worth nothing.

/// Incremental: bytes in any portions. One value reads one answer; `reset` begins the next.
public struct AnswerReader {
  public enum Progress: Equatable, Sendable {
    case partial
    case complete
    case malformed
  }

  private enum State {
    case head
    case fixed(Int)
    case chunkSize(Int, digits: Int)
    case chunkSizeEnd(Int)
    case chunkData(Int)
    case chunkDataEnd(Int)
    /// How many bytes of the closing CRLF have come.
    case trailer(Int)
    case complete
  }

  private var state = State.head
  private var head: [UInt8] = []
  /// Of the answer that is being read; 0 before its head has come.
  public private(set) var status = 0
  public private(set) var bodyBytes = 0
  /// The body's last bytes, to see that a stream came to its end.
  public private(set) var tail: [UInt8] = []

  public init() {}

  public mutating func reset() {
    state = .head
    head.removeAll(keepingCapacity: true)
    status = 0
    bodyBytes = 0
    tail.removeAll(keepingCapacity: true)
  }

  /// Takes the next bytes; `body` sees those of them that are body.
  public mutating func feed(
    _ bytes: UnsafeRawBufferPointer, body: (UnsafeRawBufferPointer) -> Void = { _ in }
  ) -> Progress {
    var rest = bytes
    while !rest.isEmpty {
      switch state {
      case .head:
        guard let used = takeHead(rest) else { return .malformed }
        rest = UnsafeRawBufferPointer(rebasing: rest[used...])
        if case .head = state { return .partial }
      case .fixed(let left), .chunkData(let left):
        let used = min(left, rest.count)
        take(UnsafeRawBufferPointer(rebasing: rest[..<used]), body)
        rest = UnsafeRawBufferPointer(rebasing: rest[used...])
        if case .fixed = state {
          state = used == left ? .complete : .fixed(left - used)
        } else {
          state = used == left ? .chunkDataEnd(0) : .chunkData(left - used)
        }
      case .complete:
        return .malformed
      default:
        guard takeFraming(rest[0]) else { return .malformed }
        rest = UnsafeRawBufferPointer(rebasing: rest[1...])
      }
    }
    if case .complete = state { return .complete }
    return .partial
  }

  private mutating func take(
    _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    bodyBytes += bytes.count
    tail.append(contentsOf: bytes.suffix(16))
    if tail.count > 16 { tail.removeFirst(tail.count - 16) }
    body(bytes)
  }

  /// - Returns: how many of the bytes belong to the head; nil where it is malformed.
  private mutating func takeHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
    // The common case, a whole head in one read, is parsed where it lies.
    if head.isEmpty, let end = HTTPHead.end(in: bytes) {
      return begin(UnsafeRawBufferPointer(rebasing: bytes[..<end])) ? end : nil
    }
    let before = head.count
    head.append(contentsOf: bytes)
    guard head.count < 65_536 else { return nil }
    let whole = head
    return whole.withUnsafeBytes { whole in
      guard let end = HTTPHead.end(in: whole) else { return bytes.count }
      return begin(UnsafeRawBufferPointer(rebasing: whole[..<end])) ? end - before : nil
    }
  }

  private mutating func begin(_ head: UnsafeRawBufferPointer) -> Bool {
    guard head.count > 15, head.starts(with: "HTTP/1.1 ".utf8) else { return false }
    let digits = head[9..<12]
    guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
    status = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    switch HTTPHead.framing(of: head) {
    case .length(let length): state = length == 0 ? .complete : .fixed(length)
    case .chunked: state = .chunkSize(0, digits: 0)
    case .malformed: return false
    }
    return true
  }

  /// One byte of what stands between chunks.
  private mutating func takeFraming(_ byte: UInt8) -> Bool {
    switch (state, byte) {
    case (.chunkSize(let size, let digits), 0x0D) where digits > 0: state = .chunkSizeEnd(size)
    case (.chunkSize(let size, let digits), _):
      guard digits < 8, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        return false
      }
      state = .chunkSize(size * 16 + digit, digits: digits + 1)
    case (.chunkSizeEnd(let size), 0x0A): state = size == 0 ? .trailer(0) : .chunkData(size)
    case (.chunkDataEnd(0), 0x0D): state = .chunkDataEnd(1)
    case (.chunkDataEnd(1), 0x0A): state = .chunkSize(0, digits: 0)
    case (.trailer(0), 0x0D): state = .trailer(1)
    case (.trailer(1), 0x0A): state = .complete
    default: return false
    }
    return true
  }
}
