// Which followed jobs are to be asked after, and when. Pure: it is handed the time.

import Metering

/// The jobs that are being followed, each due at a moment or being asked after.
struct FollowQueue: Sendable {
  private struct Entry: Sendable {
    var watch: JobWatch
    /// On the process's own clock, in milliseconds; nil while it is being asked after.
    var due: Int64?
  }

  private var entries: [CallID: Entry] = [:]
  private var asking = 0

  var count: Int { entries.count }

  /// Adds a job; one that is there already stays as it is.
  mutating func add(_ call: CallID, _ watch: JobWatch, due: Int64) {
    if entries[call] == nil { entries[call] = Entry(watch: watch, due: due) }
  }

  /// Takes the jobs that are due, the longest due first, as far as `atATime` leaves room.
  mutating func takeDue(at now: Int64, atATime: Int) -> [(call: CallID, watch: JobWatch)] {
    let room = atATime - asking
    guard room > 0 else { return [] }
    let due = entries.compactMap { call, entry in
      entry.due.flatMap { $0 <= now ? (due: $0, call: call, watch: entry.watch) : nil }
    }
    let taken = due.sorted { ($0.due, $0.call) < ($1.due, $1.call) }.prefix(room)
    for job in taken { entries[job.call]?.due = nil }
    asking += taken.count
    return taken.map { ($0.call, $0.watch) }
  }

  /// The job was asked after, and is due again.
  mutating func put(_ call: CallID, _ watch: JobWatch, due: Int64) {
    guard entries[call]?.due == nil else { return }
    if entries.updateValue(Entry(watch: watch, due: due), forKey: call) != nil { asking -= 1 }
  }

  /// The job was asked after, and has ended.
  mutating func remove(_ call: CallID) {
    if let entry = entries.removeValue(forKey: call), entry.due == nil { asking -= 1 }
  }

  /// When the next job is due; nil where none is, or where there is no room to ask after it.
  func nextDue(atATime: Int) -> Int64? {
    asking < atATime ? entries.values.compactMap(\.due).min() : nil
  }
}
