// What a model's name says about where it stands in a family: dated snapshots and fine-tunes.
//
// Providers answer with names that no price list has: a request for gpt-4o is answered by
// gpt-4o-2024-08-06. Only suffixes that providers use for snapshots are taken off, since a wrong
// guess charges another model's price.

/// Parts of model names.
public enum ModelName {
  /// The name without any snapshot suffix: of gpt-4o-2024-08-06, gpt-4o.
  public static func family(_ name: String) -> String {
    var name = name[...]
    while let shorter = withoutSnapshot(name) { name = shorter }
    return String(name)
  }

  /// The name without the region that Bedrock runs it in: of eu.anthropic.claude-x, its rest.
  static func withoutRegion(_ name: String) -> String {
    guard let dot = name.firstIndex(of: "."), regions.contains(String(name[..<dot])) else {
      return name
    }
    return String(name[name.index(after: dot)...])
  }

  /// As names of Bedrock's inference profiles begin.
  private static let regions: Set<String> = [
    "us", "us-gov", "eu", "apac", "au", "ca", "in", "jp", "global",
  ]

  /// The name without its last snapshot suffix; nil where it has none.
  ///
  /// Known are `-2024-08-06`, `-20250929`, `@20250929`, `-09-2025`, `-0613` (month and day),
  /// `-2407` (year and month), `-001`, `-latest`, `@latest`, `@default`, and Bedrock's `-v1:0` and
  /// `:0`.
  static func withoutSnapshot(_ name: Substring) -> Substring? {
    for word in ["-latest", "@latest", "@default"] where name.hasSuffix(word) {
      return trimmed(name, by: word.utf8.count)
    }
    let bytes = Array(name.utf8.suffix(longest + 1))
    let digits = bytes.reversed().prefix { isDigit($0) }.count
    guard digits > 0, digits < bytes.count else { return nil }
    let number = bytes.suffix(digits).reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    let before = bytes.dropLast(digits)
    switch (digits, before.last) {
    case (8, UInt8(ascii: "-")), (8, UInt8(ascii: "@")):
      return isDay(number % 10_000) && isYear(number / 10_000) ? trimmed(name, by: 9) : nil
    case (2, UInt8(ascii: "-")):
      guard isShaped(before, as: "-9999-99-") else { return nil }
      return trimmed(name, by: 11)
    case (4, UInt8(ascii: "-")):
      if isShaped(before, as: "-99-"), isYear(number) { return trimmed(name, by: 8) }
      let isYearMonth = (20...39).contains(number / 100) && (1...12).contains(number % 100)
      return isDay(number) || isYearMonth ? trimmed(name, by: 5) : nil
    case (3, UInt8(ascii: "-")):
      return number < 100 ? trimmed(name, by: 4) : nil
    case (1, UInt8(ascii: ":")):
      return trimmed(name, by: isShaped(before, as: "-v9:") ? 5 : 2)
    default: return nil
    }
  }

  /// `ft:BASE` of a fine-tuned model's `ft:BASE:ORGANISATION:NAME:ID`; nil for other names.
  static func fineTuned(_ name: Substring) -> Substring? {
    guard name.hasPrefix("ft:") else { return nil }
    let base = name.dropFirst(3).prefix { $0 != ":" }
    return base.isEmpty || base.endIndex == name.endIndex ? nil : name[..<base.endIndex]
  }

  /// The longest of the suffixes, `-2024-08-06`, in bytes.
  private static let longest = 11

  private static func trimmed(_ name: Substring, by count: Int) -> Substring? {
    let rest = name.dropLast(count)
    return rest.isEmpty ? nil : rest
  }

  /// Whether the bytes end in a shape, whose 9 stands for any digit.
  private static func isShaped(_ bytes: ArraySlice<UInt8>, as shape: String) -> Bool {
    let end = bytes.suffix(shape.utf8.count)
    return end.count == shape.utf8.count
      && zip(end, shape.utf8).allSatisfy { $1 == UInt8(ascii: "9") ? isDigit($0) : $0 == $1 }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isYear(_ number: Int) -> Bool { (2020...2039).contains(number) }

  /// Month and day as in 0613.
  private static func isDay(_ number: Int) -> Bool {
    (1...12).contains(number / 100) && (1...31).contains(number % 100)
  }
}
