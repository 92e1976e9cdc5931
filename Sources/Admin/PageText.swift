// Numbers as a person reads them on the page; exact figures stay in reports and metrics.

import Metering

enum PageText {
  /// Dollars to the cent from a cent on, to four significant decimals below, never a false zero.
  static func dollars(_ money: Money) -> String {
    let sign = money.nanodollars < 0 ? "−" : ""
    let magnitude = money.nanodollars.magnitude
    if magnitude == 0 { return "$0.00" }
    if magnitude >= 10_000_000 || magnitude % 10_000_000 == 0 {
      let cents = (magnitude + 5_000_000) / 10_000_000
      return "\(sign)$\((cents / 100).groupedText).\(padded(cents % 100, 2))"
    }
    if magnitude < 1000 { return "\(sign)<$0.000001" }
    var digits = padded((magnitude + 500) / 1000, 6)
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(sign)$0.\(digits)"
  }

  static func amount(_ amount: Amount) -> String {
    switch amount {
    case .money(let money): dollars(money)
    case .tokens(let count): "\(count.groupedText) tokens"
    case .calls(let count): "\(count.groupedText) calls"
    }
  }

  /// A share of a whole in tenths of a percent, 0…1000; what is above nothing shows as something.
  static func permille(_ part: Int64, of whole: Int64) -> Int {
    guard part > 0 else { return 0 }
    guard whole > 0 else { return 1000 }
    let share = Int128(part) * 1000 / Int128(whole)
    return Int(min(max(share, 4), 1000))
  }

  /// A share in whole percent, rounded down, without an upper bound.
  static func percent(_ part: Int64, of whole: Int64) -> Int {
    guard whole > 0 else { return part > 0 ? 100 : 0 }
    return Int(clamping: Int128(max(part, 0)) * 100 / Int128(whole))
  }

  private static func padded(_ number: UInt64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.count, 0)) + digits
  }
}
