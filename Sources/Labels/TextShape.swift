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

  init(of text: String) {
    var fence: Character?
    var block: [Substring] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let trimmed = line.drop { $0 == " " || $0 == "\t" }
      let count = trimmed.reduce(0) { $0 + ($1.isWhitespace ? 0 : 1) }
      let mark = Self.fenceMark(trimmed)
      switch (fence, mark) {
      case (nil, let opening?):
        fence = opening
        fences += 1
      case (let open?, let closing?) where open == closing: fence = nil
      case (nil, nil):
        characters += count
        readMarkup(trimmed)
      case (.some, _):
        characters += count
        fencedCharacters += count
        block.append(line)
      }
    }
    isFenceOpen = fence != nil
    isBracketOpen = !isFenceOpen && Self.hasOpenBracket(text)
    let body = text.drop(while: \.isWhitespace)
    let closing = text.reversed().drop(while: \.isWhitespace)
    if fences == 1, !isFenceOpen, Self.fenceMark(body) != nil,
      closing.starts(with: "```") || closing.starts(with: "~~~")
    {
      soleBlock = block.joined(separator: "\n")
    }
  }

  private static func fenceMark(_ line: Substring) -> Character? {
    line.hasPrefix("```") ? "`" : line.hasPrefix("~~~") ? "~" : nil
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
