// The redactor written for reading alone: the oracle that the fast one is compared with.
//
// No trigger, no table, no passing over. Of the product it shares the rules for secrets, which the
// fast pass asks in the same way; what the fast pass does by itself stands here again.

@testable import Contracts

/// What `Redactor` must give for every text.
enum RedactionOracle {
  static func redact(_ text: String, hidesPersonalData: Bool) -> Redaction {
    var result = Redaction(text: text, counts: [:])
    for _ in 0..<8 {
      let bytes = Array(result.text.utf8)
      var scan = PlainScan(hidesPersonalData: hidesPersonalData)
      bytes.withUnsafeBufferPointer { scan.run($0) }
      guard scan.isChanged else { break }
      result.counts.merge(scan.counts, uniquingKeysWith: +)
      result.text = String(decoding: scan.output, as: UTF8.self)
    }
    return result
  }
}

/// The pass as its definition says it: each byte is copied, and each word is asked of every rule.
private struct PlainScan {
  private(set) var output: [UInt8] = []
  private(set) var counts: [RedactionKind: Int] = [:]
  private(set) var isChanged = false
  private let hidesPersonalData: Bool
  /// A password found in a connection string, to be taken out when the scan gets there.
  private var password: Range<Int>?

  init(hidesPersonalData: Bool) { self.hidesPersonalData = hidesPersonalData }

  mutating func run(_ bytes: UnsafeBufferPointer<UInt8>) {
    output.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if let password, index >= password.lowerBound {
        self.password = nil
        if index == password.lowerBound {
          take(Finding(range: password, kind: .password), bytes, &index)
          continue
        }
      }
      let byte = bytes[index]
      if byte == UInt8(ascii: "\\") {
        copyEscape(bytes, &index)
        continue
      }
      if byte == UInt8(ascii: ":"), let found = ConnectionRule.password(bytes, at: index) {
        password = found
      }
      if let finding = find(bytes, at: index) {
        copy(bytes, index..<finding.range.lowerBound)
        index = finding.range.lowerBound
        take(finding, bytes, &index)
        continue
      }
      output.append(byte)
      index += 1
    }
  }

  private func find(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Finding? {
    let byte = bytes[index]
    if byte == UInt8(ascii: "-"), let finding = PrivateKeyRule.find(bytes, at: index) {
      return finding
    }
    guard byte.isAlphanumeric || hidesPersonalData && byte.isEmailLocal else { return nil }
    let last = output.last ?? 0x20
    let beginsWord = isAfterEscape || !last.isAlphanumeric
    if beginsWord, byte.isAlphanumeric {
      if let finding = PrefixRule.find(bytes, at: index) { return finding }
      if let finding = NamedValueRule.find(bytes, at: index) { return finding }
      if hidesPersonalData, let finding = PlainAccountRule.find(bytes, at: index) {
        return finding
      }
    }
    // `ssh://git@host.example` is an account on a host, no address of a person.
    let isUserInfo = output.suffix(2).elementsEqual("//".utf8)
    if hidesPersonalData, byte.isEmailLocal, isAfterEscape || !last.isEmailLocal, !isUserInfo {
      return PlainEmailRule.find(bytes, at: index)
    }
    return nil
  }

  /// Whether the output ends in a JSON escape, whose letter is no part of a word.
  private var isAfterEscape: Bool { output.count == escapeEnd && escapeEnd > 0 }
  private var escapeEnd = 0

  /// Copies a backslash and, where they make a JSON escape, the letters behind it.
  private mutating func copyEscape(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) {
    var end = index + 1
    if end < bytes.count {
      switch bytes[end] {
      case UInt8(ascii: "u"):
        let digits = bytes.run(from: end + 1, limit: 4) { $0.isHexadecimal }
        end = digits == end + 5 ? digits : end
      case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"),
        UInt8(ascii: "f"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
        end += 1
      default: break
      }
    }
    copy(bytes, index..<end)
    index = end
    escapeEnd = output.count
  }

  private mutating func copy(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    output.append(contentsOf: bytes[range])
  }

  private mutating func take(
    _ finding: Finding, _ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int
  ) {
    let marker = Array(finding.kind.marker.utf8)
    index = finding.range.upperBound
    output += marker
    // A marker that stands there already is no finding.
    if bytes[finding.range].elementsEqual(marker) { return }
    counts[finding.kind, default: 0] += 1
    isChanged = true
  }
}

/// E-mail addresses.
private enum PlainEmailRule {
  /// RFC 5321's bound of a domain.
  private static let domainMax = 253

  static func find(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Finding? {
    let at = bytes.run(from: start) { $0.isEmailLocal }
    guard at > start, at < bytes.count, bytes[at] == UInt8(ascii: "@") else { return nil }
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
private enum PlainAccountRule {
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
    var digits: [Int] = []
    var index = start
    var best: Int?
    while index < bytes.count, digits.count < 20 {
      let byte = bytes[index]
      if byte.isDigit {
        digits.append(Int(byte - UInt8(ascii: "0")))
        let next = index + 1
        let ends = next == bytes.count || !bytes[next].isAlphanumeric
        if ends, digits.count >= 13, isIssued(digits), passesLuhn(digits) { best = next }
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

  /// Whether a network issues numbers of this prefix and length.
  private static func isIssued(_ digits: [Int]) -> Bool {
    let four = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3]
    let count = digits.count
    switch four {
    case 4000...4999: return count == 13 || count == 16 || count == 19
    case 5100...5599, 2221...2720: return count == 16
    case 3400...3499, 3700...3799: return count == 15
    case 3000...3059, 3600...3699, 3800...3999: return count == 14
    case 3528...3589, 6011, 6200...6299, 6440...6599: return (16...19).contains(count)
    default: return false
    }
  }

  /// The check of ISO/IEC 7812.
  private static func passesLuhn(_ digits: [Int]) -> Bool {
    var sum = 0
    for (place, digit) in digits.reversed().enumerated() {
      let doubled = place % 2 == 1 ? digit * 2 : digit
      sum += doubled > 9 ? doubled - 9 : doubled
    }
    return sum % 10 == 0
  }

  // MARK: - IBANs

  /// Lengths by country, from the registry of ISO 13616.
  private static let lengths: [String: Int] = [
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27,
    "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27,
    "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24,
    "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VG": 24, "XK": 20,
  ]

  private static func iban(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Finding? {
    guard start + 4 < bytes.count, bytes[start + 1].isUppercase, bytes[start + 2].isDigit,
      bytes[start + 3].isDigit,
      let length = lengths[String(decoding: bytes[start..<start + 2], as: UTF8.self)]
    else { return nil }
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
