// A decimal number exactly as it is written, so that a price never passes through floating point.
//
// Price tables write 8.39233e-08 dollars a pixel and 0.000283333333333 dollars a second. A rate is
// a whole number of nanodollars per million units, so a text either is one exactly or the reader is
// told that it had to be rounded.

/// A decimal number that is not negative: mantissa × 10^exponent.
public struct ExactDecimal: Hashable, Sendable {
  /// ≥ 0, without trailing zeros.
  private var mantissa: Int128
  private var exponent: Int

  /// A number in the unit that was asked for.
  public struct Scaled: Hashable, Sendable {
    /// Rounded up where the unit is too coarse: a price is never made cheaper.
    public var value: Int64
    /// Whether nothing was rounded.
    public var isExact: Bool
  }

  /// Reads digits with or without a point: `2.50`; with an exponent where it is allowed: `2.5e-06`.
  ///
  /// Nil for signs, no digits, more than 36 significant digits, or an exponent beyond ±400.
  public init?(_ text: some StringProtocol, allowsExponent: Bool = false) {
    var mantissa: Int128 = 0
    var exponent = 0
    var zeros = 0
    var hasDigit = false
    var hasPoint = false
    var bytes = text.utf8.makeIterator()
    scan: while let byte = bytes.next() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        hasDigit = true
        if hasPoint { exponent -= 1 }
        // Zeros wait until a digit follows them, since trailing ones carry nothing.
        if byte == UInt8(ascii: "0") {
          zeros += 1
          continue
        }
        for _ in 0...(mantissa == 0 ? 0 : zeros) {
          mantissa *= 10
          guard mantissa <= Self.most else { return nil }
        }
        zeros = 0
        mantissa += Int128(byte - UInt8(ascii: "0"))
      case UInt8(ascii: ".") where !hasPoint: hasPoint = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        guard allowsExponent, hasDigit, let power = Self.exponent(&bytes) else { return nil }
        exponent += power
        break scan
      default: return nil
      }
    }
    guard hasDigit else { return nil }
    self.mantissa = mantissa
    self.exponent = mantissa == 0 ? 0 : exponent + zeros
  }

  /// Ten of it still fit into a word of 128 bits.
  private static let most: Int128 = 1_000_000_000_000_000_000_000_000_000_000_000_000

  private static func exponent(_ bytes: inout some IteratorProtocol<UInt8>) -> Int? {
    var power = 0
    var digits = 0
    var isNegative = false
    var isFirst = true
    while let byte = bytes.next() {
      switch byte {
      case UInt8(ascii: "-") where isFirst: isNegative = true
      case UInt8(ascii: "+") where isFirst: break
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits += 1
        power = power * 10 + Int(byte - UInt8(ascii: "0"))
        guard power <= 400 else { return nil }
      default: return nil
      }
      isFirst = false
    }
    return digits == 0 ? nil : isNegative ? -power : power
  }

  /// The number × 10^power as a whole number; nil where it is too large for one.
  public func scaled(by power: Int) -> Scaled? {
    var value = mantissa
    var shift = exponent + power
    while shift > 0, value != 0 {
      value *= 10
      guard value <= Int128(Int64.max) else { return nil }
      shift -= 1
    }
    var isExact = true
    while shift < 0, value != 0 {
      let (quotient, rest) = value.quotientAndRemainder(dividingBy: 10)
      isExact = isExact && rest == 0
      value = quotient
      shift += 1
    }
    if !isExact { value += 1 }
    return Int64(exactly: value).map { Scaled(value: $0, isExact: isExact) }
  }

  /// Writes value ÷ 10^power as decimal text, with at least two decimals: `2.50`, `0.000283333334`.
  ///
  /// - Parameters:
  ///   - value: ≥ 0.
  ///   - power: 2…18.
  public static func text(_ value: Int64, dividedByTenTo power: Int) -> String {
    var digits = String(value)
    if digits.utf8.count <= power {
      digits = String(repeating: "0", count: power + 1 - digits.utf8.count) + digits
    }
    let point = digits.index(digits.endIndex, offsetBy: -power)
    var decimals = digits[point...]
    while decimals.utf8.count > 2, decimals.hasSuffix("0") { decimals.removeLast() }
    return digits[..<point] + "." + decimals
  }
}
