// The journal's files.
//
// A journal is a directory of segments named by the sequence of their first record, in twenty
// digits: 00000000000000000001.journal. A segment is a head and records, without padding; all
// integers are little-endian.
//
//   head, 32 bytes                         record, 17 bytes and its payload
//    0  8  "LWJOURNL"                       0  4  length of the payload in bytes
//    8  4  version, 1                       4  4  CRC-32C over bytes 0…3 and 8…end
//   12  4  0                                8  8  sequence: the previous record's plus one
//   16  8  sequence of the first record    16  1  kind: 1 reserved, 2 settled, 3 released,
//   24  4  0                                      4 expired, 5 refused, 6 capped …
//   28  4  CRC-32C over bytes 0…27         17  n  payload, see EventCoding.swift
//
// Records are only ever appended. A record that is cut short or fails its checksum at the end of
// the last segment is a write that a crash tore: it was never acknowledged, and is cut off.
// Anywhere else it is damage, which no reader may step over: balances would be wrong from there on.

internal import Metering

/// One segment, by name.
struct Segment: Hashable, Sendable {
  /// The sequence of its first record.
  var first: UInt64

  static let magic = Array("LWJOURNL".utf8)
  static let version: UInt32 = 1
  static let headBytes = 32
  static let recordHeadBytes = 17
  /// Far above what an event can take; a larger length is damage.
  static let payloadBytesMax = 16 << 20

  init(first: UInt64) { self.first = first }

  /// Nil for any other file's name.
  init?(name: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1] == "journal", parts[0].utf8.count == 20,
      parts[0].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let first = UInt64(parts[0])
    else { return nil }
    self.first = first
  }

  var name: String {
    let digits = String(first)
    return String(repeating: "0", count: 20 - digits.count) + digits + ".journal"
  }

  func path(in directory: String) -> String { directory + "/" + name }

  var head: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.headBytes) { memory, count in
      var writer = ByteWriter(UnsafeMutableRawBufferPointer(memory))
      for byte in Self.magic { writer.byte(byte) }
      writer.fixed(Self.version)
      writer.fixed(UInt32(0))
      writer.fixed(first)
      writer.fixed(UInt32(0))
      writer.fixed(CRC32C.checksum(writer.written))
      count = writer.count
    }
  }

  /// What is wrong with a file's head; nil: nothing.
  func headFault(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard bytes.count >= Self.headBytes else { return "its head is cut short" }
    guard bytes[0..<8].elementsEqual(Self.magic) else { return "it is no journal segment" }
    let version = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    guard version == Self.version else { return "its format is version \(version), not 1" }
    let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<28]))
    let stored = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 28, as: UInt32.self))
    guard checksum == stored else { return "its head fails its checksum" }
    let first = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
    return first == self.first ? nil : "it was renamed: its head says sequence \(first)"
  }
}

/// The head of a record, read and bounded but not yet trusted.
struct RecordHead {
  var payloadBytes: Int
  var checksum: UInt32
  var sequence: UInt64
  var kind: UInt8

  /// Nil where fewer bytes are left than a head takes.
  init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    guard bytes.count - offset >= Segment.recordHeadBytes else { return nil }
    payloadBytes = Int(
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    checksum = UInt32(
      littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
    sequence = UInt64(
      littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
    kind = bytes[offset + 16]
  }

  /// Head and payload together.
  var totalBytes: Int { Segment.recordHeadBytes + payloadBytes }

  static func checksum(
    of bytes: UnsafeRawBufferPointer, at offset: Int, totalBytes: Int
  ) -> UInt32 {
    let length = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + 4])
    let rest = UnsafeRawBufferPointer(rebasing: bytes[(offset + 8)..<(offset + totalBytes)])
    return CRC32C.update(CRC32C.update(0, length), rest)
  }
}

extension [UInt8] {
  /// Appends an event as a record.
  mutating func append(recordOf event: LedgerEvent) {
    let bytesMax = Segment.recordHeadBytes + event.payloadBytesMax
    withUnsafeTemporaryAllocation(byteCount: bytesMax, alignment: 8) { memory in
      var writer = ByteWriter(memory)
      writer.fixed(UInt32(0))
      writer.fixed(UInt32(0))
      writer.fixed(event.sequence)
      writer.byte(event.recordKind.rawValue)
      event.encode(to: &writer)
      writer.patch(UInt32(writer.count - Segment.recordHeadBytes), at: 0)
      let checksum = RecordHead.checksum(of: writer.written, at: 0, totalBytes: writer.count)
      writer.patch(checksum, at: 4)
      // As typed bytes: raw ones would be appended one by one.
      append(contentsOf: writer.written.bindMemory(to: UInt8.self))
    }
  }
}

/// Reads records one after the other, and hands out their events.
struct RecordScan {
  enum Stop: Hashable {
    /// All bytes were used.
    case end
    /// As many events as were asked for.
    case full
    /// The bytes end within a record.
    case incomplete
    /// The record fails its checksum, or has a length that none has.
    case bad(String)
    /// The record is as it was written, but does not belong here or to this version.
    case foreign(String)
  }

  /// Events handed out.
  private(set) var count = 0
  /// Of the first of them.
  private(set) var firstSequence: UInt64?
  /// Just after the last good record.
  var offset: Int
  /// The last good record's sequence.
  var sequence: UInt64
  /// Where the first record above `skippedThrough` began; nil where there was none.
  var firstTakenOffset: Int?
  private(set) var stop = Stop.end

  /// - Parameters:
  ///   - offset: where a record begins.
  ///   - sequence: of the record before it.
  ///   - skippedThrough: records up to here are checked but not decoded.
  ///   - memo: keeps what one record shares with the next, from scan to scan.
  init(
    _ bytes: UnsafeRawBufferPointer, from offset: Int, after sequence: UInt64,
    skippedThrough: UInt64 = 0, eventsMax: Int = .max, memo: inout AccountsMemo,
    take: (LedgerEvent) -> Void
  ) {
    self.offset = offset
    self.sequence = sequence
    while self.offset < bytes.count {
      if count == eventsMax {
        stop = .full
        return
      }
      guard let head = RecordHead(bytes, at: self.offset) else {
        stop = .incomplete
        return
      }
      if let stop = Self.fault(head, in: bytes, at: self.offset) {
        self.stop = stop
        return
      }
      guard head.sequence == self.sequence + 1 else {
        stop = .foreign("sequence \(head.sequence) follows \(self.sequence)")
        return
      }
      if head.sequence > skippedThrough {
        guard let event = Self.event(head, in: bytes, at: self.offset, &memo) else {
          stop = .foreign("kind \(head.kind) or its payload is not known to this version")
          return
        }
        take(event)
        count += 1
        firstTakenOffset = firstTakenOffset ?? self.offset
        firstSequence = firstSequence ?? event.sequence
      }
      self.sequence = head.sequence
      self.offset += head.totalBytes
    }
  }

  private static func fault(
    _ head: RecordHead, in bytes: UnsafeRawBufferPointer, at offset: Int
  ) -> Stop? {
    guard head.payloadBytes <= Segment.payloadBytesMax else { return .bad("its length is absurd") }
    guard bytes.count - offset >= head.totalBytes else { return .incomplete }
    let checksum = RecordHead.checksum(of: bytes, at: offset, totalBytes: head.totalBytes)
    return checksum == head.checksum ? nil : .bad("its checksum does not match")
  }

  private static func event(
    _ head: RecordHead, in bytes: UnsafeRawBufferPointer, at offset: Int,
    _ memo: inout AccountsMemo
  ) -> LedgerEvent? {
    guard let kind = RecordKind(rawValue: head.kind) else { return nil }
    let range = (offset + Segment.recordHeadBytes)..<(offset + head.totalBytes)
    let payload = UnsafeRawBufferPointer(rebasing: bytes[range])
    return try? LedgerEvent(sequence: head.sequence, kind: kind, payload: payload, memo: &memo)
  }

  /// Whether a whole record with a later sequence lies anywhere behind an offset: then what is bad
  /// there is damage and no torn write.
  static func hasRecord(
    in bytes: UnsafeRawBufferPointer, behind offset: Int, after sequence: UInt64
  ) -> Bool {
    var next = offset + 1
    while let head = RecordHead(bytes, at: next) {
      // The sequence rules out nearly every offset before a checksum is computed.
      let ahead = head.sequence &- sequence
      if head.sequence > sequence, ahead <= UInt64(bytes.count), head.kind > 0,
        fault(head, in: bytes, at: next) == nil
      {
        return true
      }
      next += 1
    }
    return false
  }
}
