// Moments as text: the text that a baseline's edges are kept in must not lose a millisecond.

import Foundation
import Metering
import TestSupport
import Testing

@Suite struct TimestampTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
    (1_795_348_800_001, "2026-11-22T12:00:00.001Z"),
    (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
  ])
  func textIsExact(_ milliseconds: Int64, _ text: String) {
    #expect(Timestamp(milliseconds: milliseconds).iso8601 == text)
  }

  // From 1583 on: Foundation changes to the Julian calendar before.
  @Test func textAgreesWithFoundationToTheSecond() throws {
    try checkProperty("iso8601", over: -12_200_000_000...4_000_000_000, runs: 200) { seconds in
      for second in seconds {
        let text = Timestamp(milliseconds: second * 1_000).iso8601
        let wanted = Date(timeIntervalSince1970: Double(second)).formatted(.iso8601)
        try require(text == wanted.dropLast() + ".000Z", "\(text) is not \(wanted)")
      }
    }
  }
}
