// Exact counts: what tiktoken's `encode_ordinary` would give, by its length.

extension Vocabulary {
  /// How many tokens a text becomes when it is encoded by itself, special tokens read as text.
  ///
  /// Exact for well-formed UTF-8 of assigned scalars. A byte that is ill-formed counts as a symbol
  /// of one byte; tiktoken reads no such text. A piece of n bytes costs n log n.
  public func count(_ text: Span<UInt8>) -> Int {
    var merge = Merge()
    var total = 0
    var start = 0
    while start < text.count {
      let end = pretokenizer.pieceEnd(text, from: start)
      total += merge.count(text, start, end, self)
      start = end
    }
    return total
  }

  /// As above.
  public func count(_ text: [UInt8]) -> Int { count(text.span) }

  /// As above.
  public func count(_ text: ArraySlice<UInt8>) -> Int { count(text.span) }

  /// As above.
  public func count(_ text: UnsafeRawBufferPointer) -> Int {
    text.withMemoryRebound(to: UInt8.self) { count($0.span) }
  }

  /// As above, of the text's UTF-8.
  public func count(_ text: String) -> Int { count(Array(text.utf8)) }
}
