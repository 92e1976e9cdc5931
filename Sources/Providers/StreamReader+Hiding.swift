// Removes the event that only reports usage from what the caller gets.
//
// Everything else goes on byte for byte; what is held back waits no longer than its event's end.

extension StreamReader {
  func feedHiding(_ bytes: UnsafeRawBufferPointer) -> StreamRelay {
    var index = 0
    // Where what is not yet decided begins; the bytes before it are kept or removed.
    var undecided = 0
    var kept = KeptRanges()
    var released: [UInt8] = []
    while index < bytes.count {
      switch step(bytes, &index) {
      case .nothing: continue
      case .event(isUsageOnly: true) where !isReleased:
        held.removeAll(keepingCapacity: true)
        lastEventWasHidden = true
      case .restOfLineEnd where eventHasLines: continue
      case .restOfLineEnd where lastEventWasHidden: break
      case .event, .loose, .restOfLineEnd:
        lastEventWasHidden = false
        release(&released)
        kept.add(undecided..<index)
      }
      undecided = index
      isReleased = false
    }
    if undecided < bytes.count {
      let rest = bytes.count - undecided
      // A comment outside an event has no part in one; an event too long is not the usage event.
      if isReleased || isComment && !eventHasLines || held.count + rest > heldBytesMax {
        isReleased = true
        release(&released)
        kept.add(undecided..<bytes.count)
      } else {
        held.append(contentsOf: bytes[undecided...])
      }
    }
    return relay(bytes.count, released, kept)
  }

  private func release(_ released: inout [UInt8]) {
    guard !held.isEmpty else { return }
    released += held
    held.removeAll(keepingCapacity: true)
  }

  private func relay(_ count: Int, _ released: [UInt8], _ kept: KeptRanges) -> StreamRelay {
    if released.isEmpty {
      if kept.last.isEmpty { return count == 0 ? .everything : .nothing }
      if kept.last == 0..<count { return .everything }
    }
    return .pieces(held: released, ranges: kept.all)
  }
}

/// Ranges in ascending order, touching ones joined; the usual single one costs no allocation.
private struct KeptRanges {
  private var before: [Range<Int>] = []
  /// The last range; empty where nothing was kept.
  private(set) var last = 0..<0

  var all: [Range<Int>] { last.isEmpty ? before : before + [last] }

  mutating func add(_ range: Range<Int>) {
    if range.isEmpty { return }
    if last.isEmpty || last.upperBound == range.lowerBound {
      last = (last.isEmpty ? range.lowerBound : last.lowerBound)..<range.upperBound
    } else {
      before.append(last)
      last = range
    }
  }
}
