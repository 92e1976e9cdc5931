// Secrets that are told by what stands before them: header names, field names, URLs.

/// Values named as a secret: `Bearer …`, `api_key: …`, `aws_secret_access_key = …`, `;Password=…`.
enum NamedValueRule {
  /// The longest gap of quotes, spaces and separators between a name and its value.
  private static let gapMax = 12

  private struct Name {
    var text: StaticString
    var kind: RedactionKind
    var least: Int
  }

  private static let names: [Name] = [
    Name(text: "aws_secret_access_key", kind: .awsKey, least: 30),
    Name(text: "aws_session_token", kind: .awsKey, least: 30),
    Name(text: "secretaccesskey", kind: .awsKey, least: 30),
    Name(text: "secret_access_key", kind: .awsKey, least: 30),
    Name(text: "sessiontoken", kind: .awsKey, least: 30),
    Name(text: "x-api-key", kind: .apiKey, least: 16),
    Name(text: "x-goog-api-key", kind: .apiKey, least: 16),
    Name(text: "api-key", kind: .apiKey, least: 16),
    Name(text: "api_key", kind: .apiKey, least: 16),
    Name(text: "apikey", kind: .apiKey, least: 16),
    Name(text: "client_secret", kind: .apiKey, least: 16),
    Name(text: "clientsecret", kind: .apiKey, least: 16),
    Name(text: "secret_key", kind: .apiKey, least: 16),
    Name(text: "access_token", kind: .apiKey, least: 16),
    Name(text: "refresh_token", kind: .apiKey, least: 16),
    Name(text: "accountkey", kind: .apiKey, least: 16),
    Name(text: "sharedaccesskey", kind: .apiKey, least: 16),
  ]

  /// What stands before a value.
  static var texts: [StaticString] {
    names.map(\.text) + ["bearer ", "basic ", "password=", "pwd="]
  }

  static func find(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Finding? {
    switch bytes[start] | 0x20 {
    case UInt8(ascii: "b"): return authorization(bytes, at: start)
    case UInt8(ascii: "p"): return connectionPassword(bytes, at: start)
    case UInt8(ascii: "a"), UInt8(ascii: "s"), UInt8(ascii: "x"), UInt8(ascii: "c"),
      UInt8(ascii: "r"):
      break
    default: return nil
    }
    for name in names where bytes.hasIgnoringCase(name.text, at: start) {
      let nameEnd = start + name.text.utf8CodeUnitCount
      let first = gapEnd(bytes, from: nameEnd)
      guard first > nameEnd else { continue }
      let end = PrefixRule.valueEnd(
        bytes, from: first, least: name.least, isNamed: true, isPart)
      if let end { return value(bytes, first..<end, name.kind) }
    }
    return nil
  }

  /// Where the value behind a name begins: past closing quotes, one `:` or `=` (or `=>`), and
  /// opening quotes, JSON-escaped or not.
  private static func gapEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var isSeparated = false
    let end = bytes.run(from: start, limit: gapMax) { byte in
      switch byte {
      case UInt8(ascii: ":"), UInt8(ascii: "="):
        isSeparated = true
        return true
      case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: ">"), 0x20:
        return true
      default: return false
      }
    }
    return isSeparated ? end : start
  }

  /// `Bearer TOKEN` and `Basic BASE64`.
  private static func authorization(
    _ bytes: UnsafeBufferPointer<UInt8>, at start: Int
  ) -> Finding? {
    let isBearer = bytes.hasIgnoringCase("bearer ", at: start)
    guard isBearer || bytes.hasIgnoringCase("basic ", at: start) else { return nil }
    let first = bytes.run(from: start + (isBearer ? 7 : 6), limit: 4) { $0 == 0x20 }
    return PrefixRule.valueEnd(bytes, from: first, least: 16, isPart)
      .map { value(bytes, first..<$0, .bearer) }
  }

  private static func isPart(_ byte: UInt8) -> Bool { byte.isBearerPart }

  /// The finding, by the value's own kind where its prefix tells one.
  private static func value(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ kind: RedactionKind
  ) -> Finding {
    let own = PrefixRule.find(bytes, at: range.lowerBound)?.kind
    return Finding(range: range, kind: own ?? kind)
  }

  /// `Password=…;` or `;Pwd=…` in a connection string made of `NAME=VALUE;`.
  private static func connectionPassword(
    _ bytes: UnsafeBufferPointer<UInt8>, at start: Int
  ) -> Finding? {
    let isLong = bytes.hasIgnoringCase("password=", at: start)
    guard isLong || bytes.hasIgnoringCase("pwd=", at: start) else { return nil }
    let first = start + (isLong ? 9 : 4)
    let end = bytes.run(from: first, limit: ConnectionRule.userInfoMax) { byte in
      !byte.isSpace && !";\"'\\<>&,".utf8.contains(byte)
    }
    let isFirst = start == 0 || bytes[start - 1] != UInt8(ascii: ";")
    let isLast = end == bytes.count || bytes[end] != UInt8(ascii: ";")
    guard end > first, !isFirst || !isLast else { return nil }
    return Finding(range: first..<end, kind: .password)
  }
}

/// Passwords in URLs: `scheme://user:PASSWORD@host`.
enum ConnectionRule {
  /// The longest `user:password` that is looked at.
  static let userInfoMax = 512

  /// The password behind the colon of `://` at a place, if there is one.
  static func password(_ bytes: UnsafeBufferPointer<UInt8>, at colon: Int) -> Range<Int>? {
    guard colon > 0, bytes[colon - 1].isAlphanumeric else { return nil }
    let first: Int
    if bytes.has("://", at: colon) {
      first = colon + 3
    } else if bytes.has(":\\/\\/", at: colon) {
      first = colon + 5
    } else {
      return nil
    }
    let end = bytes.run(from: first, limit: userInfoMax) { byte in
      !byte.isSpace && !"/\"'`\\<>?#".utf8.contains(byte)
    }
    // The last `@` ends the password, since people do not escape theirs.
    guard let at = bytes[first..<end].lastIndex(of: UInt8(ascii: "@")),
      let separator = bytes[first..<at].firstIndex(of: UInt8(ascii: ":")), separator + 1 < at
    else { return nil }
    return separator + 1..<at
  }
}
