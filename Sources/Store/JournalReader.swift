// The journal's reading side: what the fold takes.
//
// It reads what the file says instead of keeping events in memory: a fold that falls behind costs
// no memory, and what SQLite gets is what a recovery would have found.

public import Metering

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Where the fold stands. A value: the journal holds it behind a lock of its own.
struct JournalReader: Sendable {
  private let directory: String
  /// Just after the last folded event.
  private(set) var folded: JournalPosition
  /// Just after the last event handed out.
  private var taken: JournalPosition
  private var file: (segment: Segment, file: OpenFile)?
  private var memo = AccountsMemo()

  private static let chunkBytes = 256 << 10
  /// A batch of the fold: room for it at once, in place of moving it a dozen times.
  private static let eventsReserved = 8_192

  init(directory: String, start: JournalPosition) {
    self.directory = directory
    folded = start
    taken = start
  }

  /// The events after the last folded one, at most so many. The same again until `fold` is called.
  ///
  /// - Parameters:
  ///   - end: of what is written.
  ///   - segments: as they stand, ascending.
  mutating func take(
    max count: Int, until end: JournalPosition, segments: [Segment]
  ) throws(StoreFault) -> [LedgerEvent] {
    var position = folded
    let events = try read(from: &position, max: count, until: end, segments: segments)
    taken = position
    return events
  }

  /// Moves on to a sequence that was handed out. One that is behind changes nothing.
  mutating func fold(
    through sequence: UInt64, until end: JournalPosition, segments: [Segment]
  ) throws(StoreFault) {
    guard sequence > folded.sequence else { return }
    if taken.sequence == sequence {
      folded = taken
    } else {
      var position = folded
      let count = min(sequence, end.sequence) - folded.sequence
      _ = try read(from: &position, max: Int(count), until: end, segments: segments)
      folded = position
    }
    // At the end of a segment that has a successor: on to that, so that this one can be deleted.
    var position = folded
    _ = try read(from: &position, max: 0, until: end, segments: segments)
    folded = position
    taken = position
  }

  private mutating func read(
    from position: inout JournalPosition, max count: Int, until end: JournalPosition,
    segments: [Segment]
  ) throws(StoreFault) -> [LedgerEvent] {
    var events: [LedgerEvent] = []
    events.reserveCapacity(min(count, Self.eventsReserved))
    var chunk = Self.chunkBytes
    while true {
      let file = try open(position.segment)
      let limit = position.segment == end.segment ? end.offset : try file.size()
      if position.offset >= limit {
        guard let next = segments.first(where: { $0.first > position.segment.first }) else { break }
        position = JournalPosition(
          segment: next, offset: Segment.headBytes, sequence: next.first - 1)
        continue
      }
      if events.count >= count { break }
      let wanted = min(chunk, limit - position.offset)
      let bytes = try file.read(wanted, at: position.offset)
      guard bytes.count == wanted else {
        throw .damaged(file.path, at: position.offset + bytes.count, "it ends too early")
      }
      let (sequence, eventsMax) = (position.sequence, count - events.count)
      let scan = bytes.withUnsafeBytes { bytes in
        RecordScan(
          bytes, from: 0, after: sequence, eventsMax: eventsMax, memo: &memo
        ) { events.append($0) }
      }
      position.offset += scan.offset
      position.sequence = scan.sequence
      switch scan.stop {
      case .end, .full: break
      case .incomplete where position.offset - scan.offset + wanted < limit:
        // The record goes on behind the chunk; one that is larger than a chunk needs a larger one.
        if scan.offset == 0 { chunk *= 2 }
      case .incomplete:
        throw .damaged(file.path, at: position.offset, "a record is cut short")
      case .bad(let reason), .foreign(let reason):
        throw .damaged(file.path, at: position.offset, reason)
      }
    }
    return events
  }

  private mutating func open(_ segment: Segment) throws(StoreFault) -> OpenFile {
    if let file, file.segment == segment { return file.file }
    file?.file.close()
    file = nil
    let opened = try OpenFile(path: segment.path(in: directory), flags: O_RDONLY)
    file = (segment, opened)
    return opened
  }

  mutating func close() {
    file?.file.close()
    file = nil
  }
}

extension Journal {
  /// Hands out the events in the file that are not folded yet, in order, at most so many. The same
  /// again until `folded(through:)` moves on.
  ///
  /// - Throws: `journalCorrupt` where the file no longer holds what was written, `inputOutput`.
  public func takeUnfolded(max count: Int) throws(StoreFault) -> [LedgerEvent] {
    try reader.withLock { (reader) throws(StoreFault) in
      let (end, segments) = output.withLock { ($0.end, $0.segments) }
      return try reader.take(max: count, until: end, segments: segments)
    }
  }

  /// Tells the journal that the database has, safely on disk, all events up to a sequence. Segments
  /// that hold no later ones are deleted once they are older than `retentionSeconds`.
  ///
  /// - Parameter now: by which age is told.
  public func folded(
    through sequence: UInt64, at now: Timestamp = WallClock.now()
  ) throws(StoreFault) {
    try reader.withLock { (reader) throws(StoreFault) in
      let (end, segments) = output.withLock { ($0.end, $0.segments) }
      try reader.fold(through: sequence, until: end, segments: segments)
      for (segment, next) in zip(segments, segments.dropFirst()) {
        guard next.first <= reader.folded.sequence + 1, segment != reader.folded.segment,
          try retire(segment, at: now)
        else { break }
      }
    }
  }

  /// How many events are in the file and not folded.
  public var unfoldedCount: UInt64 {
    let folded = reader.withLock { $0.folded.sequence }
    let flushed = lastFlushed
    return flushed > folded ? flushed - folded : 0
  }

  /// Deletes a segment if it is old enough.
  private func retire(_ segment: Segment, at now: Timestamp) throws(StoreFault) -> Bool {
    let path = segment.path(in: directory)
    let written = Directory.modificationSeconds(of: path) ?? 0
    let age = now.milliseconds / 1000 - written
    guard age >= Int64(settings.retentionSeconds) else { return false }
    try Directory.remove(file: path)
    output.withLock { $0.forget(segment) }
    return true
  }
}
