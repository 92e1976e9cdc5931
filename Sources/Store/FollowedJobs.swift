// Jobs that go on at providers, beside the open reservations that they hold.

internal import GRDB
internal import Metering

extension StoreDatabase {
  /// Every job whose reservation is open.
  static func followedJobs(_ db: Database) throws -> [CallID: FollowedJob] {
    var jobs: [CallID: FollowedJob] = [:]
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT call, kind, upstream, path, id, model, service_tier, input_tokens, output_tokens,
          status, started_at, deadline
        FROM followed
        """)
    while let row = try rows.next() {
      let kind: Int64 = row[1]
      // As in the journal: a kind that is not known comes from a newer version.
      guard let kind = UInt8(exactly: kind).flatMap(FollowedJob.Kind.init) else {
        throw StoreFault(
          .schemaNewer, "A job in the ledger is of a kind that this Leeway does not know",
          hint: "Start the version that wrote it again.")
      }
      var job = FollowedJob(
        kind: kind, upstream: row[2], path: row[3], id: row[4], model: row[5],
        serviceTier: row[6], inputTokens: row[7], outputTokens: row[8],
        status: UInt16(clamping: row[9] as Int64),
        startedAt: Timestamp(milliseconds: row[10]))
      job.deadline = Timestamp(milliseconds: row[11])
      jobs[CallID(UInt64(row[0] as Int64))] = job
    }
    return jobs
  }

  /// Writes what is followed now and was not before. What has ended goes with its reservation.
  static func writeFollowed(_ db: Database, before: Ledger, after: Ledger) throws {
    guard !after.followed.isEmpty else { return }
    let statement = try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO followed (
          call, kind, upstream, path, id, model, service_tier, input_tokens, output_tokens,
          status, started_at, deadline)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    for (call, job) in after.followed where before.followed[call] != job {
      try statement.execute(arguments: [
        Int64(call.number), Int64(job.kind.rawValue), job.upstream, job.path, job.id, job.model,
        job.serviceTier, job.inputTokens, job.outputTokens, Int64(job.status),
        job.startedAt.milliseconds, job.deadline.milliseconds,
      ])
    }
  }

  static func createFollowed(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE followed (
          call INTEGER PRIMARY KEY REFERENCES open_reservations (call) ON DELETE CASCADE,
          kind INTEGER NOT NULL,
          upstream TEXT NOT NULL,
          path TEXT NOT NULL,
          id TEXT NOT NULL,
          model TEXT NOT NULL,
          service_tier TEXT,
          input_tokens INTEGER NOT NULL,
          output_tokens INTEGER,
          status INTEGER NOT NULL,
          started_at INTEGER NOT NULL,
          deadline INTEGER NOT NULL
        ) STRICT;
        """)
  }
}
