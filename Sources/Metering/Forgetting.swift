// Windows that are long over are forgotten, so that minutes, slices and users do not fill the
// memory and the store for ever. Nothing is reset by it: no call is ever counted in them again.

/// Which windows have ended so long before a moment that no call is held in them, and none will be:
/// two days for minutes and hours, 32 days for slices of rolling windows, which are summed for up
/// to 31, and 400 days for all others of the calendar. A purse is never over.
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
      start(daysAgo: 2), start(daysAgo: 32), start(daysAgo: 400)
    )
  }

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

extension Admission {
  /// Forgets the windows that are long over; nil: there are none.
  public mutating func forget(at now: Timestamp) -> LedgerEvent? {
    let longOver = LongOver(at: now)
    let before = ledger.names
    guard before.contains(where: { longOver.contains($0) && ledger.account($0).reserved == .zero })
    else { return nil }
    let event = record(.forgotten, at: now)
    // Accounts stand elsewhere now: what was found is found again, and what is watched moves along.
    var watches: [Watch] = []
    for (old, watch) in zip(before.indices, self.watches) {
      guard let place = ledger.knownPlace(of: before[old]) else { continue }
      while watches.count <= place { watches.append(Watch()) }
      watches[place] = watch
    }
    self.watches = watches
    for index in gauges.indices {
      gauges[index].places = gauges[index].places.compactMap {
        ledger.knownPlace(of: before[$0])
      }
    }
    subjects = [:]
    standings = Array(repeating: Standing(), count: policies.count)
    exhausted = exhausted.filter { !longOver.contains($0.account) }
    return event
  }
}
