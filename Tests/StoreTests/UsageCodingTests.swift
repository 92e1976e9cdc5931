// What a record keeps of a call's usage, and that records of before still say what they said.

import Metering
import Testing

@testable import Store

@Suite struct UsageCodingTests {
  private static func payload(_ event: LedgerEvent) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: event.payloadBytesMax)
    let count = bytes.withUnsafeMutableBytes { memory in
      var writer = ByteWriter(memory)
      event.encode(to: &writer)
      return writer.count
    }
    return Array(bytes[..<count])
  }

  private static func read(_ payload: [UInt8]) -> LedgerEvent? {
    payload.withUnsafeBytes {
      try? LedgerEvent(sequence: 9, kind: .settled, payload: $0)
    }
  }

  private static func settled(_ change: (inout CallOutcome) -> Void) -> LedgerEvent {
    var usage = Usage(source: .reported)
    usage.inputUncached = 300
    usage.outputText = 7
    var outcome = CallOutcome(
      status: 200, ending: .completed, usage: usage, responseModel: "m", durationMilliseconds: 5,
      firstByteMilliseconds: -1)
    change(&outcome)
    return LedgerEvent(
      sequence: 9, at: Timestamp(milliseconds: 1),
      kind: .settled(
        .init(call: CallID(8), charge: Money(nanodollars: 2), outcome: outcome)))
  }

  @Test func everyBucketAndModelIsKept() {
    let event = Self.settled { outcome in
      outcome.serviceTier = "flex"
      for (number, bucket) in UsageBucket.allCases.enumerated() {
        outcome.usage[bucket] = Int64(number) * 1_000_003
      }
      for name in ["pilot", "", String(repeating: "ü", count: 300)] {
        var usage = Usage(source: .reported)
        for bucket in UsageBucket.allCases.reversed() { usage[bucket] = .max }
        outcome.otherModels.append(ModelUsage(model: name, usage: usage))
      }
    }
    #expect(Self.read(Self.payload(event)) == event)
  }

  /// A record without the rest is as long as it was before there was one.
  @Test func aPlainCallPaysForNothing() {
    let plain = Self.settled { _ in }
    let payload = Self.payload(plain)
    #expect(payload.count == 21)
    #expect(Self.read(payload) == plain)
  }

  @Test func whatIsCutOffOrUnknownIsNoEvent() throws {
    let event = Self.settled { outcome in
      outcome.usage[.webSearches] = 3
      outcome.otherModels = [ModelUsage(model: "pilot", usage: Usage(source: .reported))]
    }
    let payload = Self.payload(event)
    let plain = Self.payload(Self.settled { _ in }).count
    for end in 0..<payload.count where end != plain {
      #expect(Self.read(Array(payload[..<end])) == nil, "cut at \(end)")
    }
    let place = try #require(payload.lastIndex(of: UsageBucket.webSearches.rawValue))
    var unknown = payload
    unknown[place] = 200
    #expect(Self.read(unknown) == nil)
    #expect(Self.read(payload + [0]) == nil)
  }
}
