// One pass of redaction over the bytes of a text.
//
// Rules are asked only where a word begins, and of those words only where its first letters are
// those of a rule. What came out is the context of what follows, so that the pass sees what a
// second pass would see.

/// A value found: where it ends, and what it is.
struct Finding {
  var range: Range<Int>
  var kind: RedactionKind
}

/// The pass. A text in which nothing is found is read and never copied.
struct RedactionScan {
  private(set) var counts: [RedactionKind: Int] = [:]
  var isChanged: Bool { copiedEnd > 0 }
  /// The text without what was found; only where `isChanged`.
  private(set) var output: [UInt8] = []

  private let bytes: UnsafeBufferPointer<UInt8>
  private let classes: UnsafeBufferPointer<ByteClass>
  private let triggers: UnsafeBufferPointer<UInt64>
  private let hidesPersonalData: Bool

  /// What of the text is done: `output` stands for it.
  private var copiedEnd = 0
  /// Behind the last marker, which is no part of a word; 0 before the first.
  private var contextStart = 0
  /// Behind the last JSON escape, whose letter is no part of a word.
  private var escapeEnd = -1
  /// A password found in a connection string, to be taken out when the scan gets there.
  private var password: Range<Int>?
  /// What may be the local part before the next `@`, and that `@`; empty behind the last one.
  private var mail = 0..<0

  /// Redacts a text in one pass.
  static func scan(
    _ bytes: UnsafeBufferPointer<UInt8>, hidesPersonalData: Bool
  ) -> RedactionScan {
    ByteClass.table.withUnsafeBufferPointer { classes in
      RedactionTriggers.table.withUnsafeBufferPointer { triggers in
        var scan = RedactionScan(
          bytes: bytes, classes: classes, triggers: triggers, hidesPersonalData: hidesPersonalData)
        scan.run()
        return scan
      }
    }
  }

  private init(
    bytes: UnsafeBufferPointer<UInt8>, classes: UnsafeBufferPointer<ByteClass>,
    triggers: UnsafeBufferPointer<UInt64>, hidesPersonalData: Bool
  ) {
    self.bytes = bytes
    self.classes = classes
    self.triggers = triggers
    self.hidesPersonalData = hidesPersonalData
  }

  private mutating func run() {
    if !hidesPersonalData { mail = .max ..< .max }
    var index = 0
    while true {
      if index >= mail.upperBound { mail = nextMail(from: index) }
      index = nextOfInterest(from: index)
      guard index < bytes.count else { break }
      index = step(at: index)
    }
    if isChanged { output.append(contentsOf: bytes[copiedEnd...]) }
  }

  // MARK: - Passing over

  /// The first place from `start` on that must be looked at.
  private func nextOfInterest(from start: Int) -> Int {
    let stop = min(bytes.count, mail.lowerBound, password?.lowerBound ?? .max)
    guard start < stop else { return start }
    var index = start
    var isInWord = !beginsWord(at: index)
    while index < stop {
      switch classes[Int(bytes[index])] {
      case .lower, .upper, .digit:
        if !isInWord, mayBegin(at: index) { return index }
        isInWord = true
      case .other: isInWord = false
      case .mark:
        if isMarked(at: index) { return index }
        isInWord = false
      }
      index += 1
    }
    return index
  }

  /// Whether no letter or digit stands before a place.
  private func beginsWord(at index: Int) -> Bool {
    index == contextStart || index == escapeEnd || !bytes[index - 1].isAlphanumeric
  }

  /// Whether a word that begins here may begin a finding.
  @inline(__always)
  private func mayBegin(at index: Int) -> Bool {
    // The shortest of all that is looked for has far more letters.
    guard index + 2 < bytes.count else { return false }
    let key = RedactionTriggers.key(bytes[index], bytes[index + 1], bytes[index + 2])
    if triggers[key >> 6] >> UInt64(key & 63) & 1 == 1 { return true }
    guard hidesPersonalData else { return false }
    // A card's number; an IBAN's country and check digits.
    switch classes[Int(bytes[index])] {
    case .digit: return !bytes[index + 1].isLetter
    case .upper: return bytes[index + 1].isUppercase && bytes[index + 2].isDigit
    default: return false
    }
  }

  /// Whether the `\`, `:` or `-` here is more than punctuation.
  private func isMarked(at index: Int) -> Bool {
    let next = index + 1 < bytes.count ? bytes[index + 1] : 0x20
    switch bytes[index] {
    case UInt8(ascii: ":"): return next == UInt8(ascii: "/") || next == UInt8(ascii: "\\")
    case UInt8(ascii: "-"): return next == UInt8(ascii: "-")
    default: return true
    }
  }

  /// The next `@` from here on, and what could stand before it in an address.
  private func nextMail(from start: Int) -> Range<Int> {
    let at = bytes.first(UInt8(ascii: "@"), from: start)
    guard at < bytes.count else { return .max ..< .max }
    var local = at
    while local > start, bytes[local - 1].isEmailLocal { local -= 1 }
    return local..<at + 1
  }

  // MARK: - Looking

  /// Looks at one place; returns where to go on.
  private mutating func step(at index: Int) -> Int {
    if let password, index >= password.lowerBound {
      self.password = nil
      if index == password.lowerBound { return take(Finding(range: password, kind: .password)) }
    }
    switch bytes[index] {
    case UInt8(ascii: "\\"):
      escapeEnd = endOfEscape(at: index)
      return escapeEnd
    case UInt8(ascii: ":"):
      if let found = ConnectionRule.password(bytes, at: index) { password = found }
      return index + 1
    default:
      guard let finding = find(at: index) else { return index + 1 }
      return take(finding)
    }
  }

  private func find(at index: Int) -> Finding? {
    let byte = bytes[index]
    if byte == UInt8(ascii: "-"), let finding = PrivateKeyRule.find(bytes, at: index) {
      return finding
    }
    if byte.isAlphanumeric, beginsWord(at: index) {
      if let finding = PrefixRule.find(bytes, at: index) { return finding }
      if let finding = NamedValueRule.find(bytes, at: index) { return finding }
      if hidesPersonalData, let finding = AccountNumberRule.find(bytes, at: index) {
        return finding
      }
    }
    guard mail.contains(index), byte.isEmailLocal, beginsAddress(at: index) else { return nil }
    return EmailRule.find(bytes, from: index, at: mail.upperBound - 1)
  }

  /// Whether the local part of an address may begin here.
  private func beginsAddress(at index: Int) -> Bool {
    if index == contextStart || index == escapeEnd { return true }
    if bytes[index - 1].isEmailLocal { return false }
    // `ssh://git@host.example` is an account on a host, no address of a person.
    let isUserInfo =
      index - contextStart >= 2 && bytes[index - 1] == UInt8(ascii: "/")
      && bytes[index - 2] == UInt8(ascii: "/")
    return !isUserInfo
  }

  /// The end of a backslash and, where they make a JSON escape, the letters behind it.
  private func endOfEscape(at index: Int) -> Int {
    let end = index + 1
    guard end < bytes.count else { return end }
    switch bytes[end] {
    case UInt8(ascii: "u"):
      let digits = bytes.run(from: end + 1, limit: 4) { $0.isHexadecimal }
      return digits == end + 5 ? digits : end
    case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      return end + 1
    default: return end
    }
  }

  /// Takes a value out; returns where to go on.
  private mutating func take(_ finding: Finding) -> Int {
    let marker = finding.kind.marker
    // A marker that stands there already is no finding.
    if bytes[finding.range].elementsEqual(marker.utf8) { return finding.range.upperBound }
    output.append(contentsOf: bytes[copiedEnd..<finding.range.lowerBound])
    output.append(contentsOf: marker.utf8)
    copiedEnd = finding.range.upperBound
    contextStart = copiedEnd
    counts[finding.kind, default: 0] += 1
    return copiedEnd
  }
}
