// Which followed jobs are to be asked after, and when. Pure: it is handed the time.

import Metering

/// The jobs that are being followed, each due at a moment or being asked after.
///
/// An app takes one more of the places only while more of them are free than it has: alone it has
/// half of them, and however many jobs others have, one of an app that has none is asked after as
/// soon as a place is free.
struct FollowQueue: Sendable {
  private struct Entry: Sendable {
    var app: String
    var watch: JobWatch
    var isAsked = false
  }

  private struct Turn: Comparable, Sendable {
    /// On the process's own clock, in milliseconds.
    var due: Int64
    var call: CallID

    static func < (left: Turn, right: Turn) -> Bool {
      (left.due, left.call) < (right.due, right.call)
    }
  }

  /// One app's jobs.
  private struct Share: Sendable {
    var waiting = MinHeap<Turn>()
    var asked = 0
  }

  private var entries: [CallID: Entry] = [:]
  /// Of apps that have jobs.
  private var shares: [String: Share] = [:]
  private var asked = 0

  var count: Int { entries.count }

  /// Adds a job; one that is there already stays as it is.
  mutating func add(_ call: CallID, of app: String, _ watch: JobWatch, due: Int64) {
    guard entries[call] == nil else { return }
    entries[call] = Entry(app: app, watch: watch)
    shares[app, default: Share()].waiting.add(Turn(due: due, call: call))
  }

  /// Takes the jobs that are due, as far as `atATime` leaves room: those of the apps with the
  /// fewest first, of one app the longest due.
  mutating func takeDue(at now: Int64, atATime: Int) -> [(call: CallID, watch: JobWatch)] {
    var taken: [(call: CallID, watch: JobWatch)] = []
    while let app = nextApp(at: now, atATime: atATime),
      let turn = shares[app]?.waiting.take(), let entry = entries[turn.call]
    {
      shares[app]?.asked += 1
      asked += 1
      entries[turn.call]?.isAsked = true
      taken.append((turn.call, entry.watch))
    }
    return taken
  }

  private func nextApp(at now: Int64, atATime: Int) -> String? {
    var best: (app: String, asked: Int, turn: Turn)?
    for (app, share) in shares where share.asked < atATime - asked {
      guard let turn = share.waiting.first, turn.due <= now else { continue }
      if let best, (best.asked, best.turn) < (share.asked, turn) { continue }
      best = (app, share.asked, turn)
    }
    return best?.app
  }

  /// The job was asked after, and is due again.
  mutating func put(_ call: CallID, _ watch: JobWatch, due: Int64) {
    guard let entry = entries[call], entry.isAsked else { return }
    entries[call] = Entry(app: entry.app, watch: watch)
    endAsking(for: entry.app)
    shares[entry.app]?.waiting.add(Turn(due: due, call: call))
  }

  /// The job was asked after, and has ended.
  mutating func remove(_ call: CallID) {
    guard let entry = entries[call], entry.isAsked else { return }
    entries[call] = nil
    endAsking(for: entry.app)
    if let share = shares[entry.app], share.asked == 0, share.waiting.isEmpty {
      shares[entry.app] = nil
    }
  }

  private mutating func endAsking(for app: String) {
    shares[app]?.asked -= 1
    asked -= 1
  }

  /// When the next job is due; nil where none is, or where there is no room to ask after it.
  func nextDue(atATime: Int) -> Int64? {
    shares.values.lazy.filter { $0.asked < atATime - self.asked }
      .compactMap { $0.waiting.first?.due }.min()
  }
}
