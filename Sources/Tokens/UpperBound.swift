// How many tokens a text is at most wherever it stands: before and behind it may be anything.
//
// Tokens do not add up across a cut: a piece that begins in the text before may take some of this
// one's bytes, and what is left can need more tokens than the whole did ("'" before "stuff" makes
// "'s" and "tuff"; one digit before a long number moves all its groups of three). So only what no
// neighbour can change is merged, and the rest is counted by bytes, since a token has one at least.
//
// The argument. Call a place certain if no piece of either pattern can hold the two scalars around
// it next to each other; there every text is cut, whatever stands before. A match looks only
// forward, and a match that begins before a certain place looks no further than the scalar behind
// that place: every run that it follows ends there at the latest, and a contraction is no longer
// than its letters. So between two certain places the pieces are the same in every text. A text's
// bytes before its first certain place and behind its last are in pieces that hold nothing else but
// bytes so counted of this text and its neighbours'. With n the count of any text made of templates
// and of such texts, in any order: n ≤ bytes of the templates + sum of the texts' bounds.
//
// A server may do more than join. It may trim a text: certain places are used only between its
// first and last scalar that is no space or control character, so that they stay. It may read
// "<|…|>" as a special token: a text that has "<|" is counted by bytes, and what may be the end of
// such a token, or its first byte, has no certain place in it. It may know another version of
// Unicode: scalars younger than 14.0 make no certain place, and what holds one is counted by bytes.

extension Vocabulary {
  /// The longest text, in bytes, that is merged at all: time is bounded as well as tokens.
  public static let boundedTextMax = 1 << 20
  /// The longest stretch between two certain places that is merged.
  static let boundedStretchMax = 1 << 15
  /// How far into a text the end of a special token may lie that began before the text.
  static let specialTokenMax = 64

  /// The most tokens that a text adds to a prompt, whatever stands before and behind it; never more
  /// than its bytes.
  ///
  /// For any texts a, b, c: `count(a + b + c)` ≤ bytes of a + `upperBound(ofText: b)` + bytes of c,
  /// and ≤ the sum of the three's bounds. Ill-formed UTF-8 is counted by bytes; a server that puts
  /// U+FFFD for each ill-formed byte makes a longer text of it, which this does not bound.
  public func upperBound(ofText text: Span<UInt8>) -> Int {
    let count = text.count
    guard count > 1, count <= Self.boundedTextMax else { return count }
    var stretch = Stretch()
    // The last byte might be the first of a special token.
    let limit = text[count - 1] == UInt8(ascii: "<") ? count - 1 : count
    let earliest = foreignSpecialEnd(text)
    var before = CharacterClass.unsettled
    // A certain place before a space, until something else follows it.
    var pending: Int?
    var sawText = false
    var place = 0
    while place < limit {
      let (kind, length) = pretokenizer.scalars.read(text, at: place)
      if kind.has(.illFormed) { return count }
      if text[place] == UInt8(ascii: "<"), place + 1 < count, text[place + 1] == UInt8(ascii: "|") {
        return count
      }
      if sawText, place >= earliest, isCertain(before, kind, text[place]) { pending = place }
      // Not in Unicode's sense alone: some languages trim control characters too.
      if !kind.has(.space), text[place] > UInt8(ascii: " ") {
        if let cut = pending {
          stretch.end(at: cut, text, self)
          pending = nil
        }
        sawText = true
      }
      // No young scalar is a space: a pending place before it has just been used.
      if kind.has(.unsettled) { stretch.isUnsettled = true }
      before = kind
      place += length
    }
    return stretch.total + count - stretch.start
  }

  /// As above.
  public func upperBound(ofText text: [UInt8]) -> Int { upperBound(ofText: text.span) }

  /// As above.
  public func upperBound(ofText text: ArraySlice<UInt8>) -> Int { upperBound(ofText: text.span) }

  /// As above.
  public func upperBound(ofText text: UnsafeRawBufferPointer) -> Int {
    text.withMemoryRebound(to: UInt8.self) { upperBound(ofText: $0.span) }
  }

  /// As above, of the text's UTF-8.
  public func upperBound(ofText text: String) -> Int { upperBound(ofText: Array(text.utf8)) }

  /// Whether no piece of any pattern holds these two scalars side by side.
  ///
  /// - Parameter next: the first byte of the second.
  func isCertain(_ first: CharacterClass, _ second: CharacterClass, _ next: UInt8) -> Bool {
    if first.union(second).has(.unsettled) { return false }
    // Numbers stand with numbers only.
    if first.has(.number) != second.has(.number) { return true }
    // Behind a letter come letters, marks, and the apostrophe of a contraction.
    if first.has(.letter) { return !second.has(.word) && next != UInt8(ascii: "'") }
    // Behind a newline come spaces, and in o200k_base "/".
    return first.has(.newline) && !second.has(.space) && next != UInt8(ascii: "/")
  }

  /// Where a special token ends that began before the text, if one did.
  private func foreignSpecialEnd(_ text: Span<UInt8>) -> Int {
    let last = min(text.count, Self.specialTokenMax)
    for place in 0..<last where text[place] == UInt8(ascii: ">") {
      if place == 0 || text[place - 1] == UInt8(ascii: "|") { return place + 1 }
    }
    return 0
  }
}

/// What lies between two certain places, and the tokens of all before it.
private struct Stretch {
  var start = 0
  var total = 0
  /// Whether it holds a scalar whose class is not the same everywhere.
  var isUnsettled = false
  private var isFirst = true
  private var merge = Merge()

  /// Ends at a certain place, where the next one starts.
  mutating func end(at place: Int, _ text: Span<UInt8>, _ vocabulary: Vocabulary) {
    if isFirst || isUnsettled || place - start > Vocabulary.boundedStretchMax {
      total += place - start
    } else {
      while start < place {
        let end = vocabulary.pretokenizer.pieceEnd(text, from: start)
        assert(end <= place, "a piece crosses a certain place")
        total += merge.count(text, start, end, vocabulary)
        start = end
      }
    }
    start = place
    isFirst = false
    isUnsettled = false
  }
}
