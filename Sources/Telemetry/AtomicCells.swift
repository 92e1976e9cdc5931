// A row of counters that many event loops add to at once.
//
// `Atomic` cannot be copied, so it cannot stand in an array: the cells live in one allocation made
// at start, and recording a call neither locks nor allocates.

import Synchronization

/// A fixed number of 64-bit counters, all zero at first.
///
/// Sums wrap at 2⁶³, which no count of calls, tokens, milliseconds or nanodollars reaches.
final class AtomicCells: @unchecked Sendable {
  // Unchecked: the pointer never changes after init, and what it points to is only used atomically.
  private let cells: UnsafeMutablePointer<Atomic<Int64>>
  let count: Int

  init(count: Int) {
    self.count = count
    cells = .allocate(capacity: max(count, 1))
    for index in 0..<count { (cells + index).initialize(to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize(count: count)
    cells.deallocate()
  }

  @inline(__always)
  func add(_ amount: Int64, at index: Int) {
    precondition(index >= 0 && index < count)
    cells[index].wrappingAdd(amount, ordering: .relaxed)
  }

  func value(at index: Int) -> Int64 {
    precondition(index >= 0 && index < count)
    return cells[index].load(ordering: .relaxed)
  }
}
