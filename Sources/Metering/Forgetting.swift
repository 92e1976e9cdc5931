// Windows that are long over are forgotten, so that minutes, slices and users do not fill the
// memory and the store for ever. Nothing is reset by it: no call is ever counted in them again.

/// Which windows have ended so long before a moment that no call is held in them, and none will be:
/// two days for minutes and hours, as long as a sum can reach back and a day for slices of rolling
/// windows, and 400 days for all others of the calendar. A purse is never over.
///
/// Told by a window's name alone, which begins with its start: so the store can tell it too, and a
/// policy that has changed since does not matter.
public struct LongOver: Sendable {
  private let minutes: String
  private let slices: String
  private let others: String

  public init(at now: Timestamp) {
    func start(daysAgo days: Int64) -> String {
      now.adding(milliseconds: -days * 86_400_000).iso8601
    }
    (minutes, slices, others) = (
      start(daysAgo: 2), start(daysAgo: Self.sliceDays), start(daysAgo: 400)
    )
  }

  /// The oldest slice that is summed began a whole slice before the longest window. A day more,
  /// since a clock may be put back a little.
  static let sliceDays: Int64 = {
    let reach = RollingWindow(minutes: RollingWindow.minutesMax).reachMilliseconds
    return (reach + 86_399_999) / 86_400_000 + 1
  }()

  public func contains(_ id: AccountID) -> Bool {
    let window = id.window
    let count = window.utf8.count
    guard count >= 4, window.utf8.prefix(4).allSatisfy({ (0x30...0x39).contains($0) })
    else { return false }
    // A name that is the beginning of the moment's (`2026`, `2026-11`) is over, too: 400 days are
    // more than a year.
    return window < (count == 17 ? minutes : count == 20 ? slices : others)
  }
}

/// A forgetting of all that is long over, done a piece at a time: what a piece leaves is whole, so
/// that calls can be admitted between two.
public struct Forgetting: Sendable {
  let piece: Int
  let now: Timestamp
  let longOver: LongOver
  /// Where the look for something to forget goes on.
  var next = 0
  /// There is something, and it is being cleared away.
  var hasBegun = false
  public internal(set) var isOver = false

  /// - Parameter piece: places that are looked at in one piece.
  public init(at now: Timestamp, piece: Int = 2_048) {
    self.piece = piece
    self.now = now
    longOver = LongOver(at: now)
  }
}

extension Admission {
  /// Does one piece of a forgetting. Returns the event of the one that began it: from there on all
  /// is forgotten, whoever asks, and the pieces after it only clear away.
  public mutating func forget(pieceOf forgetting: inout Forgetting) -> LedgerEvent? {
    if forgetting.hasBegun {
      leave(ledger.forget(pieceOf: forgetting.piece))
      forgetting.isOver = ledger.sweep == nil
      return nil
    }
    let piece = (min(forgetting.next, ledger.placeCount)..<ledger.placeCount)
      .prefix(forgetting.piece)
    forgetting.next = piece.endIndex
    guard ledger.hasLongOver(forgetting.longOver, in: piece) else {
      forgetting.isOver = piece.endIndex == ledger.placeCount
      return nil
    }
    // What an earlier one left is cleared away first.
    leave(ledger.forget(pieceOf: .max))
    forgetting.hasBegun = true
    let event = LedgerEvent(
      sequence: ledger.lastSequence + 1, at: forgetting.now, kind: .forgotten)
    ledger.apply(event, at: nil)
    exhausted = exhausted.filter { !forgetting.longOver.contains($0.account) }
    epoch += 1
    return event
  }

  /// Takes back some places of accounts that stand at zero, where many were given out since.
  mutating func reclaim() {
    guard placesGiven >= reclaimEach else { return }
    placesGiven = 0
    leave(ledger.reclaim(pieceOf: 2 * reclaimEach))
  }

  /// Sees to it that nothing counts on places that are free now.
  private mutating func leave(_ places: [Int]) {
    guard !places.isEmpty else { return }
    epoch += 1
    for place in places where place < watches.count {
      unwatch(place)
    }
  }
}
