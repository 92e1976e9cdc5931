// What a text looks like: fences, headings, lists, an open bracket. Read line by line, once.

/// The shape of a text.
struct TextShape: Hashable, Sendable {
  /// Characters that are no white space and no fence: within fences, and in all.
  private(set) var fencedCharacters = 0
  private(set) var characters = 0
  private(set) var fences = 0
  /// A fence was opened and not closed.
  private(set) var isFenceOpen = false
  /// A JSON value was begun and not ended.
  private(set) var isBracketOpen = false
  /// The text is one fenced block and nothing else: what stands in it.
  private(set) var soleBlock: String?
  private var listItems = 0
  private var hasOtherMarkup = false

  /// The text stops in the middle of something.
  var isOpen: Bool { isFenceOpen || isBracketOpen }

  /// The text uses Markdown: a fence, a heading, a table, bold text, a link, or a list of two.
  var isMarkdown: Bool { fences > 0 || listItems >= 2 || hasOtherMarkup }

  /// A run of three or more backticks or tildes.
  private struct Fence: Hashable {
    var mark: Character
    var length: Int

    init?(_ line: Substring) {
      guard let first = line.first, first == "`" || first == "~" else { return nil }
      (mark, length) = (first, line.prefix { $0 == first }.count)
      if length < 3 { return nil }
    }

    /// A block ends with a run that is as long as the one it began with, or longer.
    func ends(_ opening: Fence) -> Bool { mark == opening.mark && length >= opening.length }
  }

  init(of text: String) {
    var opening: Fence?
    var block: [Substring] = []
    var isOutside = false
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      let trimmed = line.drop { $0 == " " || $0 == "\t" }
      let count = trimmed.reduce(0) { $0 + ($1.isWhitespace ? 0 : 1) }
      let fence = Fence(trimmed)
      if let open = opening {
        if let fence, fence.ends(open) {
          opening = nil
        } else {
          characters += count
          fencedCharacters += count
          block.append(line)
        }
      } else if let fence {
        opening = fence
        fences += 1
      } else {
        characters += count
        if count > 0 { isOutside = true }
        readMarkup(trimmed)
      }
    }
    isFenceOpen = opening != nil
    isBracketOpen = !isFenceOpen && Self.hasOpenBracket(text)
    if fences == 1, !isFenceOpen, !isOutside { soleBlock = block.joined(separator: "\n") }
  }

  private mutating func readMarkup(_ line: Substring) {
    if Self.isListItem(line) { listItems += 1 }
    if hasOtherMarkup { return }
    let hashes = line.prefix { $0 == "#" }.count
    let isHeading = (1...6).contains(hashes) && line.dropFirst(hashes).hasPrefix(" ")
    let isTableRule =
      line.contains("|") && line.contains("---")
      && line.allSatisfy { $0 == "|" || $0 == "-" || $0 == ":" || $0.isWhitespace }
    hasOtherMarkup =
      isHeading || isTableRule || Self.hasPair("**", in: line)
      || line.contains("](http") || Self.hasPair("`", in: line)
  }

  private static func isListItem(_ line: Substring) -> Bool {
    if line.hasPrefix("- ") || line.hasPrefix("* ") || line.hasPrefix("+ ") { return true }
    let digits = line.prefix { $0.isASCII && $0.isNumber }
    guard (1...3).contains(digits.count) else { return false }
    let rest = line.dropFirst(digits.count)
    return rest.hasPrefix(". ") || rest.hasPrefix(") ")
  }

  private static func hasPair(_ mark: String, in line: Substring) -> Bool {
    guard let first = line.firstRange(of: mark) else { return false }
    let rest = line[first.upperBound...]
    return !rest.hasPrefix(" ") && rest.dropFirst().contains(mark)
  }

  /// Whether a text that begins as a JSON object or array ends before it does.
  private static func hasOpenBracket(_ text: String) -> Bool {
    var bytes = text.utf8.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
    guard let first = bytes.first, first == 0x7B || first == 0x5B else { return false }
    // "[Note] …" is prose: what follows has to be the beginning of a value or a name.
    let next = bytes.dropFirst().first { $0 != 0x20 && !(0x09...0x0D).contains($0) }
    guard next.map({ #""{[]}-0123456789tfn"#.utf8.contains($0) }) ?? true else { return false }
    var depth = 0
    var isQuoted = false
    while let byte = bytes.popFirst() {
      switch byte {
      case 0x22: isQuoted.toggle()
      case 0x5C where isQuoted: _ = bytes.popFirst()
      case 0x7B where !isQuoted, 0x5B where !isQuoted: depth += 1
      case 0x7D where !isQuoted, 0x5D where !isQuoted: depth -= 1
      default: break
      }
    }
    return isQuoted || depth > 0
  }
}
