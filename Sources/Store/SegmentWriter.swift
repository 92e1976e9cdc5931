// The journal's writing side: one segment at a time, whole batches, or nothing.

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Where records are written. A value: the journal holds it behind its file lock.
struct SegmentWriter: Sendable {
  private let directory: String
  private let segmentBytesMax: Int
  private let syncsEachWrite: Bool
  /// Ascending; the last one is written to.
  private(set) var segments: [Segment]
  private(set) var writtenThrough: UInt64
  private var file: OpenFile?
  /// End of the last whole record in `file`.
  private var position = 0
  /// Bytes that were not in a synchronization yet.
  private var isDirty = false
  /// Taken from the appenders, not yet in the file.
  private var waiting: [UInt8] = []
  /// Left behind by rotation; closed by the thread that synchronizes, which may be using them.
  private var closing: [OpenFile] = []
  private var isTruncationDue = false
  private var isRotationDue = false
  private var isClosed = false

  /// A buffer that grew beyond this in a burst is given back.
  private static let bufferBytesKept = 1 << 20

  init(
    directory: String, segmentBytesMax: Int, syncsEachWrite: Bool, segments: [Segment],
    writtenThrough: UInt64
  ) {
    self.directory = directory
    self.segmentBytesMax = max(segmentBytesMax, Segment.headBytes)
    self.syncsEachWrite = syncsEachWrite
    self.segments = segments
    self.writtenThrough = writtenThrough
  }

  /// Opens the last segment where recovery left it, or begins a new one.
  mutating func begin(at end: JournalPosition?) throws(StoreFault) {
    guard let end, end.segment == segments.last else { return try rotate() }
    file = try OpenFile(path: end.segment.path(in: directory), flags: O_RDWR)
    position = end.offset
  }

  /// Where the next record goes.
  var end: JournalPosition {
    JournalPosition(
      segment: segments.last ?? Segment(first: writtenThrough + 1), offset: position,
      sequence: writtenThrough)
  }

  /// Takes the appenders' bytes and gives them an empty buffer.
  mutating func take(_ bytes: inout [UInt8]) {
    if waiting.isEmpty {
      swap(&waiting, &bytes)
    } else {
      waiting += bytes
      bytes.removeAll(keepingCapacity: true)
    }
  }

  /// Writes all that was taken; on failure the file ends where it ended before, now or before the
  /// next write.
  ///
  /// - Parameter through: the last sequence taken.
  /// - Returns: how many bytes.
  mutating func write(through sequence: UInt64) throws(StoreFault) -> Int {
    guard !isClosed else { throw .closed(directory) }
    if isTruncationDue, let file {
      try file.truncate(to: position)
      isTruncationDue = false
    }
    let isOver = position > Segment.headBytes && position + waiting.count > segmentBytesMax
    if file == nil || isRotationDue || isOver { try rotate() }
    guard let file else { throw .closed(directory) }
    do throws(StoreFault) {
      try file.write(waiting, at: position)
      if syncsEachWrite { try file.synchronize() }
    } catch {
      do throws(StoreFault) { try file.truncate(to: position) } catch { isTruncationDue = true }
      throw error
    }
    let count = waiting.count
    position += count
    writtenThrough = sequence
    isDirty = !syncsEachWrite
    waiting.removeAll(keepingCapacity: waiting.capacity <= Self.bufferBytesKept)
    return count
  }

  /// Leaves the current segment, synchronized, and begins the next.
  private mutating func rotate() throws(StoreFault) {
    // Before its successor exists: a torn record may lie in the last segment only.
    try file?.synchronize()
    let segment = Segment(first: writtenThrough + 1)
    let path = segment.path(in: directory)
    // Not exclusive: a file of this name holds no record, or its sequence would have been written.
    let next = try OpenFile(path: path, flags: O_RDWR | O_CREAT | O_TRUNC)
    do throws(StoreFault) {
      try next.write(segment.head, at: 0)
      try next.synchronize()
      try Directory.synchronize(directory)
    } catch {
      next.close()
      try? Directory.remove(file: path)
      throw error
    }
    if let file { closing.append(file) }
    file = next
    position = Segment.headBytes
    isDirty = false
    isRotationDue = false
    if segments.last != segment { segments.append(segment) }
  }

  /// What a synchronization has to do: the file to synchronize, if any, and files to close.
  mutating func takeSyncWork() -> (file: OpenFile?, closing: [OpenFile]) {
    defer {
      closing = []
      isDirty = false
    }
    return (isDirty ? file : nil, closing)
  }

  /// Has the next write go to a new segment.
  mutating func startNewSegment() {
    isRotationDue = true
    isDirty = true
  }

  /// Forgets a segment whose file is deleted.
  mutating func forget(_ segment: Segment) {
    segments.removeAll { $0 == segment }
  }

  mutating func close() {
    for file in closing { file.close() }
    closing = []
    file?.close()
    file = nil
    isClosed = true
  }
}

extension StoreFault {
  static func closed(_ directory: String) -> StoreFault {
    StoreFault(.closed, "The journal in \(directory) is closed", hint: "")
  }
}
