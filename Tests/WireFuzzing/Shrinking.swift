// Makes a case that shows a difference small: the fewest lines, bytes and cuts that still show it.

import Wire

extension FuzzCase {
  /// The case without all that can be dropped while what is looked for remains.
  public func smallest(where shows: (FuzzCase) -> Bool) -> FuzzCase {
    var smallest = self
    var attemptsLeft = 20_000
    func accepts(_ candidate: FuzzCase) -> Bool {
      guard attemptsLeft > 0 else { return false }
      attemptsLeft -= 1
      guard shows(candidate) else { return false }
      smallest = candidate
      return true
    }
    var improved = true
    while improved {
      improved = false
      if !smallest.cuts.isEmpty {
        var candidate = smallest
        candidate.cuts = []
        if accepts(candidate) { improved = true }
      }
      for index in smallest.cuts.indices.reversed() where index < smallest.cuts.count {
        var candidate = smallest
        candidate.cuts.remove(at: index)
        if accepts(candidate) { improved = true }
      }
      // From the end, so that the offsets of those before stay what they are.
      for line in smallest.lines.reversed() where accepts(smallest.dropping(line)) {
        improved = true
      }
      var size = max(1, smallest.bytes.count / 2)
      while size >= 1 {
        var start = 0
        while start < smallest.bytes.count {
          let end = min(start + size, smallest.bytes.count)
          if accepts(smallest.dropping(start..<end)) { improved = true } else { start = end }
        }
        size /= 2
      }
    }
    return smallest
  }
}

extension FuzzCase {
  /// The lines, each with its line feed.
  fileprivate var lines: [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    for (index, byte) in bytes.enumerated() where byte == 0x0A {
      lines.append(start..<index + 1)
      start = index + 1
    }
    return start < bytes.count ? lines + [start..<bytes.count] : lines
  }

  /// The case without some bytes; cuts behind them move along.
  fileprivate func dropping(_ range: Range<Int>) -> FuzzCase {
    var shorter = self
    shorter.bytes.removeSubrange(range)
    shorter.cuts = cuts.compactMap { cut in
      let moved = cut <= range.lowerBound ? cut : max(range.lowerBound, cut - range.count)
      return moved > 0 && moved < shorter.bytes.count ? moved : nil
    }
    return shorter
  }
}
