// Decimal texts become whole numbers without a detour over floating point.

import TestSupport
import Testing

@testable import Metering

@Suite struct ExactDecimalTests {
  private typealias Scaled = ExactDecimal.Scaled

  @Test(arguments: [
    ("2.50", 9, 2_500_000_000, true),
    ("0", 15, 0, true),
    ("0.000", 0, 0, true),
    ("1e3", 0, 1_000, true),
    ("1.25E-05", 15, 12_500_000_000, true),
    ("2.5e-06", 15, 2_500_000_000, true),
    // A third of a millidollar, as a table writes it: 17 digits.
    ("0.0002833333333333333", 12, 283_333_334, false),
    ("0.000283333333333", 15, 283_333_333_333, true),
    ("2.0345052083e-09", 15, 2_034_506, false),
    // What Double makes of it is one less.
    ("9007199.254740993", 9, 9_007_199_254_740_993, true),
    ("1e-400", 15, 1, false),
    ("9223372036854775807", 0, Int64.max, true),
    ("0.1000000000000000000000000000000000000000", 1, 1, true),
  ])
  func numbersAreExactOrRoundedUp(text: String, power: Int, value: Int64, isExact: Bool) throws {
    let number = try #require(ExactDecimal(text, allowsExponent: true))
    #expect(number.scaled(by: power) == Scaled(value: value, isExact: isExact))
  }

  @Test(arguments: [
    "", ".", "-1", "+1", "1.2.3", "1,5", " 1", "1 ", "e5", "1e", "1e+", "1e5.0", "1e401", "0x10",
    "١", "NaN", "1e99999999999999999999", "1234567890123456789012345678901234567890",
  ])
  func otherTextsAreNone(text: String) {
    #expect(ExactDecimal(text, allowsExponent: true) == nil)
  }

  @Test func exponentsAreForTablesOnly() {
    #expect(ExactDecimal("1e3") == nil)
    #expect(ExactDecimal("1000") != nil)
  }

  @Test(arguments: ["9223372036854775808", "1e19", "9e400"])
  func tooLargeIsNone(text: String) {
    #expect(ExactDecimal(text, allowsExponent: true)?.scaled(by: 0) == nil)
  }

  @Test func aWrittenRateReadsBackTheSame() throws {
    try checkProperty("written and read", over: 0...Int64.max, runs: 200) { numbers in
      for number in numbers {
        for power in [2, 9, 12, 15] {
          let text = ExactDecimal.text(number, dividedByTenTo: power)
          let back = ExactDecimal(text)?.scaled(by: power)
          try require(back == Scaled(value: number, isExact: true), "\(number) is \(text)")
        }
      }
    }
  }
}
