// Splits text into the pieces within which bytes are merged: tiktoken's regular expressions, by
// hand.
//
// The patterns stand in tiktoken 0.14, tiktoken_ext/openai_public.py. A match looks only forward,
// so that a piece depends on the text from its start on and on nothing before it.

/// The rules by which one vocabulary's text falls into pieces.
struct Pretokenizer: Sendable {
  /// Which pattern.
  enum Pattern: Sendable {
    case cl100k, o200k
  }

  let pattern: Pattern
  let scalars = ScalarReader()

  /// Where the piece that starts at an offset below `text.count` ends.
  func pieceEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    let (kind, length) = scalars.read(text, at: start)
    switch pattern {
    case .cl100k:
      // '(?i:[sdmt]|ll|ve|re)
      if let end = contractionEnd(text, from: start) { return end }
      if let end = lettersEnd(text, from: start, kind, length) { return end }
    case .o200k:
      if let end = wordEnd(text, from: start, kind, length) { return end }
    }
    if kind.has(.number) { return numberEnd(text, from: start) }
    if let end = otherEnd(text, from: start, kind) { return end }
    return spaceEnd(text, from: start)
  }

  /// The end of the run of scalars that have any of these properties.
  @inline(__always)
  private func runEnd(_ text: Span<UInt8>, from start: Int, of kinds: CharacterClass) -> Int {
    var end = start
    while end < text.count {
      let (kind, length) = scalars.read(text, at: end)
      guard kind.has(kinds) else { break }
      end += length
    }
    return end
  }

  /// `'s`, `'d`, `'m`, `'t`, `'ll`, `'ve`, `'re` in any case; nil: none starts here.
  private func contractionEnd(_ text: Span<UInt8>, from start: Int) -> Int? {
    guard start + 1 < text.count, text[start] == UInt8(ascii: "'") else { return nil }
    let first = text[start + 1]
    let second = start + 2 < text.count ? text[start + 2] : 0
    // ASCII letters in lower case; nothing else becomes a letter by it.
    switch (first | 0x20, second | 0x20) {
    case (UInt8(ascii: "s"), _), (UInt8(ascii: "d"), _), (UInt8(ascii: "m"), _),
      (UInt8(ascii: "t"), _):
      return start + 2
    case (UInt8(ascii: "l"), UInt8(ascii: "l")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
      (UInt8(ascii: "r"), UInt8(ascii: "e")):
      return start + 3
    default:
      // The long s, U+017F, is an s to a pattern that ignores case.
      return first == 0xC5 && second == 0xBF ? start + 3 : nil
    }
  }

  /// `[^\r\n\p{L}\p{N}]?+\p{L}++`
  private func lettersEnd(
    _ text: Span<UInt8>, from start: Int, _ kind: CharacterClass, _ length: Int
  ) -> Int? {
    let next = start + length
    if kind.has(.letter) { return runEnd(text, from: next, of: .letter) }
    guard !kind.has([.newline, .number]) else { return nil }
    let end = runEnd(text, from: next, of: .letter)
    return end > next ? end : nil
  }

  /// The two patterns of words in o200k_base, P being `[^\r\n\p{L}\p{N}]`, U upper and D lower
  /// with what has no case in both: `P?U*D+(suffix)?|P?U+D*(suffix)?`
  private func wordEnd(
    _ text: Span<UInt8>, from start: Int, _ kind: CharacterClass, _ length: Int
  ) -> Int? {
    guard !kind.has([.newline, .number]) else { return nil }
    if kind.has(.letter) {
      let (lower, upper) = caseRuns(text, from: start)
      return suffixEnd(text, from: lower ?? upper)
    }
    let next = start + length
    let (lower, upper) = caseRuns(text, from: next)
    if let lower { return suffixEnd(text, from: lower) }
    // A mark is a P as well; where it does not help as one, it is a word by itself.
    if kind.has(.word) { return suffixEnd(text, from: next) }
    return upper > next ? suffixEnd(text, from: upper) : nil
  }

  /// - Returns: lower: where `U*D+` ends, nil where it does not match; upper: where `U*` ends.
  private func caseRuns(_ text: Span<UInt8>, from start: Int) -> (lower: Int?, upper: Int) {
    var end = start
    // Behind the last scalar without case: U* gives back as many as D+ needs.
    var caselessEnd: Int?
    while end < text.count {
      let (kind, length) = scalars.read(text, at: end)
      guard kind.has(.upper) else {
        guard kind.has(.lower) else { break }
        return (runEnd(text, from: end + length, of: .lower), end)
      }
      end += length
      if kind.has(.lower) { caselessEnd = end }
    }
    return (caselessEnd, end)
  }

  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)?`
  private func suffixEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    contractionEnd(text, from: start) ?? start
  }

  /// `\p{N}{1,3}`
  private func numberEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    var end = start
    for _ in 0..<3 where end < text.count {
      let (kind, length) = scalars.read(text, at: end)
      guard kind.has(.number) else { break }
      end += length
    }
    return end
  }

  /// ` ?[^\s\p{L}\p{N}]+[\r\n]*`, in o200k_base with `/` among the newlines.
  private func otherEnd(_ text: Span<UInt8>, from start: Int, _ kind: CharacterClass) -> Int? {
    let first = text[start] == UInt8(ascii: " ") ? start + 1 : start
    guard first > start || !kind.has(.notOther) else { return nil }
    var end = first
    while end < text.count {
      let (kind, length) = scalars.read(text, at: end)
      guard !kind.has(.notOther) else { break }
      end += length
    }
    guard end > first else { return nil }
    while end < text.count {
      let byte = text[end]
      let goesOn =
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        || (pattern == .o200k && byte == UInt8(ascii: "/"))
      guard goesOn else { break }
      end += 1
    }
    return end
  }

  /// cl100k_base: `\s++$|\s*[\r\n]|\s+(?!\S)|\s`; o200k_base: `\s*[\r\n]+|\s+(?!\S)|\s+`
  private func spaceEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    var end = start
    var last = start
    var newlineEnd: Int?
    while end < text.count {
      let (kind, length) = scalars.read(text, at: end)
      guard kind.has(.space) else { break }
      last = end
      end += length
      if kind.has(.newline) { newlineEnd = end }
    }
    if pattern == .cl100k, end == text.count { return end }
    if let newlineEnd { return newlineEnd }
    // The last space before a word belongs to the word, unless it is all there is.
    return end == text.count || last == start ? end : last
  }
}
