// Finds the mock's send times in a paced stream and turns them into delays.

import Measures

/// Of one connection. Marks may be split between reads, so bytes are gathered to their events.
final class TimestampReader {
  private static let mark = Array("\"sent\":".utf8)
  private var pending: [UInt8] = []
  private let record: (UInt64) -> Void

  /// - Parameter record: gets each event's delay in nanoseconds.
  init(record: @escaping (UInt64) -> Void) { self.record = record }

  func reset() { pending.removeAll(keepingCapacity: true) }

  func take(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
    pending.append(contentsOf: bytes)
    var start = 0
    // An event ends at an empty line.
    while let end = emptyLine(from: start) {
      if let sent = timestamp(in: pending[start..<end]), sent <= now { record(now - sent) }
      start = end
    }
    pending.removeFirst(start)
  }

  private func emptyLine(from start: Int) -> Int? {
    var index = start + 1
    while index < pending.count {
      if pending[index] == 0x0A, pending[index - 1] == 0x0A { return index + 1 }
      index += 1
    }
    return nil
  }

  private func timestamp(in event: ArraySlice<UInt8>) -> UInt64? {
    let mark = Self.mark
    // It stands right behind `data: {`.
    guard event.count > 40, event.dropFirst(7).starts(with: mark) else { return nil }
    return event.dropFirst(7 + mark.count).prefix { (0x30...0x39).contains($0) }
      .reduce(UInt64(0)) { $0 &* 10 &+ UInt64($1 - 0x30) }
  }
}
