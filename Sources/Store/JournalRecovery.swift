// What a start finds in the journal's directory.

internal import Logging
internal import Metering

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The end of the last segment as a crash left it: cut off when the journal was opened.
public struct TornTail: Hashable, Sendable {
  /// The segment's path.
  public var path: String
  /// Where the torn record began.
  public var offset: Int
  /// How many bytes were cut off.
  public var bytes: Int
}

/// A place between two records.
struct JournalPosition: Hashable, Sendable {
  var segment: Segment
  var offset: Int
  /// Of the record before it.
  var sequence: UInt64
}

/// The state of a directory after recovery.
struct RecoveredJournal {
  /// Ascending; not those that nothing is left of.
  var segments: [Segment] = []
  /// Where the next record goes; nil: a new segment has to begin.
  var end: JournalPosition?
  /// Just before the first event that the database lacks.
  var unfolded: JournalPosition?
  var torn: TornTail?
  private var memo = AccountsMemo()

  /// - Parameters:
  ///   - foldedThrough: what the database has: records up to here may be missing.
  ///   - replay: is handed every event above it, in order. A fault may come after some of them.
  init(
    directory: String, foldedThrough: UInt64, replay: (LedgerEvent) -> Void
  ) throws(StoreFault) {
    segments = try Directory.names(in: directory).compactMap(Segment.init(name:))
      .sorted { $0.first < $1.first }
    let start = segments.lastIndex { $0.first <= foldedThrough &+ 1 }
    guard let start else {
      guard let first = segments.first else { return }
      throw .gap(
        "The journal in \(directory) begins with event \(first.first), "
          + "but the database ends with \(foldedThrough)")
    }
    for index in start..<segments.count {
      try recover(index, directory: directory, foldedThrough: foldedThrough, replay: replay)
    }
    // The database may be ahead after a loss of power: what the journal lost was folded before.
    if let last = end, last.sequence < foldedThrough { (end, unfolded) = (nil, nil) }
  }

  private mutating func recover(
    _ index: Int, directory: String, foldedThrough: UInt64, replay: (LedgerEvent) -> Void
  ) throws(StoreFault) {
    let segment = segments[index]
    let isLast = index == segments.count - 1
    let path = segment.path(in: directory)
    let file = try OpenFile(path: path, flags: O_RDWR)
    defer { file.close() }
    let bytes = try file.read(try file.size(), at: 0)
    if let fault = bytes.withUnsafeBytes(segment.headFault) {
      // A head that was being written when the machine died is short, with nothing behind it.
      guard isLast, bytes.count < Segment.headBytes else { throw .damaged(path, at: 0, fault) }
      try Directory.remove(file: path)
      torn = TornTail(path: path, offset: 0, bytes: bytes.count)
      segments.removeLast()
      return
    }
    if let last = end, segment.first != last.sequence + 1 {
      throw .gap(
        "The journal in \(directory) lacks events from \(last.sequence + 1) on: "
          + "the next file is \(segment.name)")
    }
    let scan = bytes.withUnsafeBytes { bytes in
      RecordScan(
        bytes, from: Segment.headBytes, after: segment.first - 1, skippedThrough: foldedThrough,
        memo: &memo, take: replay)
    }
    if scan.stop != .end {
      try cut(file, bytes, after: scan, isLast: isLast)
    }
    end = JournalPosition(segment: segment, offset: scan.offset, sequence: scan.sequence)
    if unfolded == nil, isLast || scan.firstTakenOffset != nil {
      let offset = scan.firstTakenOffset ?? scan.offset
      let sequence = scan.firstSequence.map { $0 - 1 } ?? scan.sequence
      unfolded = JournalPosition(segment: segment, offset: offset, sequence: sequence)
    }
  }

  /// Cuts a torn tail off; anything else that is bad stops the start.
  private mutating func cut(
    _ file: OpenFile, _ bytes: [UInt8], after scan: RecordScan, isLast: Bool
  ) throws(StoreFault) {
    var reason = "a record is cut short"
    var isTorn = isLast
    switch scan.stop {
    case .bad(let text): reason = text
    case .foreign(let text): (reason, isTorn) = (text, false)
    case .end, .full, .incomplete: break
    }
    let isFollowed = bytes.withUnsafeBytes { bytes in
      RecordScan.hasRecord(in: bytes, behind: scan.offset, after: scan.sequence)
    }
    guard isTorn, !isFollowed else { throw .damaged(file.path, at: scan.offset, reason) }
    try file.truncate(to: scan.offset)
    try file.synchronize()
    torn = TornTail(
      path: file.path, offset: scan.offset, bytes: bytes.count - scan.offset)
  }
}

extension StoreFault {
  static func damaged(_ path: String, at offset: Int, _ reason: String) -> StoreFault {
    StoreFault(
      .journalCorrupt,
      "The journal is damaged: in \(path) at byte \(offset), \(reason)",
      hint: "Restore this file from a backup. To start without the events from there on, move it "
        + "and all later segments away first: balances and usage will then lack them.")
  }

  static func gap(_ message: String) -> StoreFault {
    StoreFault(
      .journalGap, message,
      hint: "The journal and the database do not belong together, or files were deleted; restore "
        + "both from one backup.")
  }
}
