// Byte-pair merging within one piece: the pair of the lowest rank first, of equal ones the
// leftmost.
//
// A short piece is searched from end to end for each merge, which is quickest up to some dozen
// bytes; a long one keeps its pairs in a heap, so that a stranger's piece of a megabyte costs
// n log n and not n².

/// The working memory of merging, kept from piece to piece.
struct Merge {
  /// The longest piece, in bytes, that is merged without a heap.
  static let shortMax = 96

  // Part k of a short piece begins at starts[k]; ranks[k] is that of parts k and k + 1 as one.
  private var starts: [Int] = []
  private var ranks: [UInt32] = []
  // A part of a long piece is known by its first byte's place in the piece.
  private var next: [Int32] = []
  private var previous: [Int32] = []
  private var heap = MinHeap()

  /// How many tokens the bytes `text[start..<end]` become; 0 for none.
  mutating func count(
    _ text: Span<UInt8>, _ start: Int, _ end: Int, _ vocabulary: Vocabulary
  ) -> Int {
    let length = end - start
    if length < 2 { return length }
    if vocabulary.rank(text, start, end) != Vocabulary.none { return 1 }
    if length <= Self.shortMax { return countShort(text, start, end, vocabulary) }
    // Beyond the width of a place; nobody holds such a text, and bytes bound its tokens.
    if length >= Int(Int32.max) { return length }
    return countLong(text, start, end, vocabulary)
  }

  private mutating func countShort(
    _ text: Span<UInt8>, _ start: Int, _ end: Int, _ vocabulary: Vocabulary
  ) -> Int {
    starts.removeAll(keepingCapacity: true)
    ranks.removeAll(keepingCapacity: true)
    for place in start..<end {
      starts.append(place)
      ranks.append(place + 2 <= end ? vocabulary.rank(text, place, place + 2) : Vocabulary.none)
    }
    starts.append(end)
    while true {
      var lowest = Vocabulary.none
      var part = 0
      for index in ranks.indices where ranks[index] < lowest {
        lowest = ranks[index]
        part = index
      }
      if lowest == Vocabulary.none { return ranks.count }
      starts.remove(at: part + 1)
      ranks.remove(at: part + 1)
      let parts = ranks.count
      ranks[part] =
        part + 2 <= parts
        ? vocabulary.rank(text, starts[part], starts[part + 2]) : Vocabulary.none
      if part > 0 {
        ranks[part - 1] = vocabulary.rank(text, starts[part - 1], starts[part + 1])
      }
    }
  }

  private mutating func countLong(
    _ text: Span<UInt8>, _ start: Int, _ end: Int, _ vocabulary: Vocabulary
  ) -> Int {
    let length = end - start
    next = (1...Int32(length)).map { $0 }
    previous = (-1..<Int32(length) - 1).map { $0 }
    ranks.removeAll(keepingCapacity: true)
    heap.removeAll()
    for place in 0..<length {
      let whole = place + 2 <= length
      let rank =
        whole
        ? vocabulary.rank(text, start + place, start + place + 2) : Vocabulary.none
      ranks.append(rank)
      if rank != Vocabulary.none { heap.appendUnordered(Self.entry(rank, place)) }
    }
    heap.order()
    var parts = length
    while let entry = heap.popLeast() {
      let place = Int(entry & 0xFFFF_FFFF)
      // An entry is not taken out when its pair changes; it is passed over here.
      guard ranks[place] == UInt32(entry >> 32) else { continue }
      let second = Int(next[place])
      let third = next[second]
      ranks[second] = Vocabulary.none
      next[place] = third
      if Int(third) < length { previous[Int(third)] = Int32(place) }
      parts -= 1
      rankAnew(text, start, place, length, vocabulary)
      if previous[place] >= 0 {
        rankAnew(text, start, Int(previous[place]), length, vocabulary)
      }
    }
    return parts
  }

  /// Ranks the pair whose first part begins at `place`, its parts having changed.
  private mutating func rankAnew(
    _ text: Span<UInt8>, _ start: Int, _ place: Int, _ length: Int, _ vocabulary: Vocabulary
  ) {
    let second = Int(next[place])
    ranks[place] =
      second < length
      ? vocabulary.rank(text, start + place, start + Int(next[second])) : Vocabulary.none
    if ranks[place] != Vocabulary.none { heap.push(Self.entry(ranks[place], place)) }
  }

  private static func entry(_ rank: UInt32, _ place: Int) -> UInt64 {
    UInt64(rank) << 32 | UInt64(place)
  }
}

/// A binary heap, the least element first.
private struct MinHeap {
  private var elements: [UInt64] = []

  mutating func removeAll() { elements.removeAll(keepingCapacity: true) }

  /// Adds an element; `order` must follow before any other call.
  mutating func appendUnordered(_ element: UInt64) { elements.append(element) }

  mutating func order() {
    for index in stride(from: elements.count / 2 - 1, through: 0, by: -1) { sink(index) }
  }

  mutating func push(_ element: UInt64) {
    elements.append(element)
    var index = elements.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      if elements[parent] <= element { break }
      elements[index] = elements[parent]
      index = parent
    }
    elements[index] = element
  }

  mutating func popLeast() -> UInt64? {
    guard let least = elements.first, let last = elements.popLast() else { return nil }
    if !elements.isEmpty {
      elements[0] = last
      sink(0)
    }
    return least
  }

  private mutating func sink(_ from: Int) {
    let element = elements[from]
    var index = from
    while true {
      var child = 2 * index + 1
      if child >= elements.count { break }
      if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
      if element <= elements[child] { break }
      elements[index] = elements[child]
      index = child
    }
    elements[index] = element
  }
}
