// Money in and out of text, exactly.

import Metering
import TestSupport
import Testing

@Suite struct MoneyTests {
  @Test(arguments: [
    ("0", 0), ("12", 12_000_000_000), ("2.50", 2_500_000_000), ("0.000000001", 1),
    ("1.0000000000000", 1_000_000_000), (".5", 500_000_000), ("5.", 5_000_000_000),
    ("0009", 9_000_000_000), ("9223372036.854775807", Int64.max),
  ])
  func dollarsAreReadExactly(_ text: String, _ nanodollars: Int64) {
    #expect(Money(dollars: text)?.nanodollars == nanodollars)
  }

  @Test(arguments: [
    "", ".", "-1", "+1", "1e3", "1,000", "$5", " 1", "1 ", "1.2.3", "0.0000000001",
    "9223372036.854775808", "99999999999999999999", "0x10", "١", "NaN", "1_000",
  ])
  func whatIsNoAmountIsRefused(_ text: String) {
    #expect(Money(dollars: text) == nil)
  }

  @Test func textAndBackIsTheSame() throws {
    try checkProperty("money round trip", over: Int64.min...Int64.max, runs: 500) { numbers in
      for number in numbers {
        let money = Money(nanodollars: number)
        var text = money.dollarsText
        let isNegative = text.hasPrefix("-")
        if isNegative { text.removeFirst() }
        try require(isNegative == (number < 0), "\(money.dollarsText)")
        try require(text.split(separator: ".")[1].count >= 2, text)
        // Int64.min has no positive counterpart; its text is still right.
        if number == .min {
          try require(text == "9223372036.854775808", text)
        } else {
          try require(Money(dollars: text)?.nanodollars == Int64(number.magnitude), text)
        }
      }
    }
  }

  @Test func sumsRefuseOrClampAndNeverWrap() {
    let most = Money(nanodollars: .max)
    let least = Money(nanodollars: .min)
    let one = Money(nanodollars: 1)
    #expect(most.adding(one) == nil)
    #expect(least.adding(Money(nanodollars: -1)) == nil)
    #expect(most.addingClamped(one) == most)
    #expect(least.addingClamped(Money(nanodollars: -1)) == least)
    #expect(most.adding(least) == Money(nanodollars: -1))
    #expect(one.adding(one) == Money(nanodollars: 2))
    #expect(Money(nanodollars: -1) < .zero && Money.zero < one)
  }
}
