// How personal data looks: e-mail addresses, payment cards, bank accounts.
//
// Numbers are taken only where their check digits hold, so that ids and figures stay.

/// E-mail addresses.
enum EmailRule {
  /// RFC 5321's bound of a domain.
  private static let domainMax = 253

  /// - Parameters:
  ///   - start: where the local part begins.
  ///   - at: where its `@` stands; all before is the local part.
  static func find(
    _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, at: Int
  ) -> Finding? {
    let domain = at + 1
    let limit = bytes.run(from: domain, limit: domainMax) {
      $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
    }
    guard let end = domainEnd(bytes, domain..<limit) else { return nil }
    return Finding(range: start..<end, kind: .email)
  }

  /// Where the longest domain with a dot and a last label of letters ends.
  private static func domainEnd(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) -> Int? {
    var found: Int?
    var label = range.lowerBound
    var labels = 0
    while label < range.upperBound {
      let end = bytes.run(from: label, limit: range.upperBound - label) {
        $0 != UInt8(ascii: ".")
      }
      if end == label { break }
      labels += 1
      // Hyphens behind the last label are no part of it, as in `<!--me@example.org-->`.
      var last = end
      while last > label, bytes[last - 1] == UInt8(ascii: "-") { last -= 1 }
      let isWord = bytes[label..<last].allSatisfy { $0.isLetter }
      if labels > 1, isWord, last - label >= 2 { found = last }
      label = end + 1
    }
    return found
  }
}

/// Payment cards and IBANs.
enum AccountNumberRule {
  static func find(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Finding? {
    if bytes[start].isDigit {
      // Not the decimals of a number.
      let isFraction =
        start > 1 && bytes[start - 1] == UInt8(ascii: ".") && bytes[start - 2].isDigit
      return isFraction ? nil : card(bytes, at: start)
    }
    return bytes[start].isUppercase ? iban(bytes, at: start) : nil
  }

  // MARK: - Cards

  private static func card(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Finding? {
    var digits = CardDigits()
    var index = start
    var best: Int?
    while index < bytes.count, digits.count < 20 {
      let byte = bytes[index]
      if byte.isDigit {
        digits.append(Int(byte - UInt8(ascii: "0")))
        let next = index + 1
        let ends = next == bytes.count || !bytes[next].isAlphanumeric
        if ends, digits.count >= 13, digits.isIssued, digits.passesLuhn { best = next }
      } else if byte == 0x20 || byte == UInt8(ascii: "-") {
        // A single separator, between digits.
        guard index + 1 < bytes.count, bytes[index + 1].isDigit else { break }
      } else {
        break
      }
      index += 1
    }
    return best.map { Finding(range: start..<$0, kind: .paymentCard) }
  }

  // MARK: - IBANs

  /// Lengths by country, from the registry of ISO 13616.
  private static let countries: KeyValuePairs<StaticString, Int> = [
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27,
    "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27,
    "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24,
    "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VG": 24, "XK": 20,
  ]

  /// The lengths by `place`; 0 where no country has this code.
  private static let lengths: [Int] = {
    var lengths = [Int](repeating: 0, count: 26 * 26)
    for (code, length) in countries {
      lengths[place(code.utf8Start[0], code.utf8Start[1])] = length
    }
    return lengths
  }()

  private static func place(_ first: UInt8, _ second: UInt8) -> Int {
    Int(first - UInt8(ascii: "A")) * 26 + Int(second - UInt8(ascii: "A"))
  }

  private static func iban(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Finding? {
    guard start + 4 < bytes.count, bytes[start + 1].isUppercase, bytes[start + 2].isDigit,
      bytes[start + 3].isDigit
    else { return nil }
    let length = lengths[place(bytes[start], bytes[start + 1])]
    guard length > 0 else { return nil }
    var characters: [UInt8] = []
    var index = start
    while index < bytes.count, characters.count < length {
      let byte = bytes[index]
      if byte.isUppercase || byte.isDigit {
        characters.append(byte)
      } else if byte != 0x20 || bytes[index - 1] == 0x20 {
        return nil
      }
      index += 1
    }
    let ends = index == bytes.count || !bytes[index].isAlphanumeric
    guard characters.count == length, ends, remainder(characters) == 1 else { return nil }
    return Finding(range: start..<index, kind: .iban)
  }

  /// The check of ISO 7064: the number with its first four characters moved behind, modulo 97.
  private static func remainder(_ characters: [UInt8]) -> Int {
    var remainder = 0
    for byte in characters[4...] + characters[..<4] {
      let value = Int(byte) - Int(UInt8(ascii: byte.isDigit ? "0" : "A")) + (byte.isDigit ? 0 : 10)
      remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
    }
    return remainder
  }
}

/// The digits of what may be a card's number, as far as they are judged.
private struct CardDigits {
  private(set) var count = 0
  /// The first four, as a number.
  private var prefix = 0
  /// The sums of ISO/IEC 7812 where the digits at even and at odd places are the doubled ones:
  /// which of them counts is known when the last digit is.
  private var sums = (even: 0, odd: 0)

  mutating func append(_ digit: Int) {
    if count < 4 { prefix = prefix * 10 + digit }
    let doubled = digit > 4 ? digit * 2 - 9 : digit * 2
    if count % 2 == 0 {
      sums.even += doubled
      sums.odd += digit
    } else {
      sums.even += digit
      sums.odd += doubled
    }
    count += 1
  }

  /// The check of ISO/IEC 7812: every second digit is doubled, beginning before the last.
  var passesLuhn: Bool { (count % 2 == 0 ? sums.even : sums.odd) % 10 == 0 }

  /// Whether a network issues numbers of this prefix and length.
  var isIssued: Bool {
    switch prefix {
    case 4000...4999: count == 13 || count == 16 || count == 19
    case 5100...5599, 2221...2720: count == 16
    case 3400...3499, 3700...3799: count == 15
    case 3000...3059, 3600...3699, 3800...3999: count == 14
    case 3528...3589, 6011, 6200...6299, 6440...6599: (16...19).contains(count)
    default: false
    }
  }
}
