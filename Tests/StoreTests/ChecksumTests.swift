// CRC-32C against its published vectors; the events' encoding against itself and against damage.

import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct ChecksumTests {
  /// RFC 3720, appendix B.4, and the catalogue's check value.
  static let vectors: [([UInt8], UInt32)] = [
    (Array("123456789".utf8), 0xE306_9283),
    (Array(repeating: 0, count: 32), 0x8A91_36AA),
    (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
    (Array(0..<32), 0x46DD_794E),
    (Array((0..<32).reversed()), 0x113F_DB5C),
    ([], 0),
  ]

  @Test(arguments: vectors)
  func matchesPublishedVectors(bytes: [UInt8], checksum: UInt32) {
    #expect(bytes.withUnsafeBytes(CRC32C.checksum) == checksum)
  }

  @Test func isTheSameHoweverItIsSplit() {
    var generator = SeededGenerator(seed: 1)
    let bytes = (0..<257).map { _ in generator.int(UInt8.min...UInt8.max) }
    let whole = bytes.withUnsafeBytes(CRC32C.checksum)
    for cut in 0...bytes.count {
      let first = bytes[..<cut].withUnsafeBytes { CRC32C.checksum($0) }
      let both = bytes[cut...].withUnsafeBytes { CRC32C.update(first, $0) }
      #expect(both == whole, "cut at \(cut)")
    }
  }
}

@Suite struct EventCodingTests {
  @Test func everyEventComesBackAsItWas() throws {
    try checkProperty("encoding round trip", generate: LedgerStep.random) { steps in
      for event in LedgerHistory(steps).events {
        let decoded = try decode(payload(event), of: event)
        try require(decoded == event, "\(event) came back as \(decoded)")
      }
    }
  }

  @Test(arguments: [Int64.min, -1, 0, 1, 63, 64, Int64.max])
  func extremeIntegersComeBack(value: Int64) throws {
    let event = LedgerEvent(
      sequence: .max, at: Timestamp(milliseconds: value),
      kind: .expired(CallID(UInt64(bitPattern: value)), charge: Money(nanodollars: value)))
    #expect(try decode(payload(event), of: event) == event)
  }

  @Test func aPayloadCutShortOrExtendedIsRefused() throws {
    for event in LedgerHistory.random(events: 60, seed: 3).events {
      let whole = payload(event)
      // Cut off before what few calls have, a record is one of before there was that.
      let plain = LedgerHistory.withoutRest(event).map { payload($0).count }
      for count in 0..<whole.count where count != plain {
        #expect(throws: ByteReader.Malformed.self) {
          try decode(Array(whole[..<count]), of: event)
        }
      }
      #expect(throws: ByteReader.Malformed.self) { try decode(whole + [0], of: event) }
    }
  }

  @Test func randomBytesNeverCrashTheReader() {
    var generator = SeededGenerator(seed: 4)
    let kinds: [RecordKind] = [
      .reserved, .settled, .released, .expired, .refused, .capped, .forgotten,
    ]
    var understood = 0
    for _ in 0..<20_000 {
      let bytes = (0..<generator.int(0...40)).map { _ in generator.int(UInt8.min...UInt8.max) }
      let event = bytes.withUnsafeBytes { bytes in
        try? LedgerEvent(sequence: 1, kind: generator.pick(kinds), payload: bytes)
      }
      if event != nil { understood += 1 }
    }
    // Some short ones are valid by chance; were all refused, the reader would not have been tested.
    #expect(understood > 0 && understood < 20_000)
  }

  @Test func aModelNameAsLongAsABodyIsCutAtACharacter() throws {
    let name = String(repeating: "é", count: 3000)
    let event = LedgerEvent(
      sequence: 1, at: Timestamp(milliseconds: 0),
      kind: .refused(
        .init(
          call: CallID(1), app: "a", key: 1, upstream: "u", model: "x" + name, status: 403,
          code: "model_unpriced", message: "m", budget: nil)))
    guard case .refused(let refused) = try decode(payload(event), of: event).kind else {
      Issue.record("another kind came back")
      return
    }
    // 1024 bytes would end within the 512th é: it is left out whole.
    #expect(refused.model == "x" + String(repeating: "é", count: 511))
  }

  private func payload(_ event: LedgerEvent) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: event.payloadBytesMax) { memory, count in
      var writer = ByteWriter(UnsafeMutableRawBufferPointer(memory))
      event.encode(to: &writer)
      count = writer.count
    }
  }

  @discardableResult
  private func decode(_ payload: [UInt8], of event: LedgerEvent) throws -> LedgerEvent {
    try payload.withUnsafeBytes { bytes in
      try LedgerEvent(sequence: event.sequence, kind: event.recordKind, payload: bytes)
    }
  }
}
