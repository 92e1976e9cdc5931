// What apps used and what it cost, over any span.
//
// Calls age out, totals do not: pruning rolls whole hours of calls up in the transaction that
// deletes them, so that an hour is counted from calls or from its roll-up, never from both.

internal import GRDB
public import Metering

/// Sums of one app on one upstream and model.
public struct UsageTotals: Hashable, Sendable {
  /// Calls whose usage came from one source. Reported, estimated and unknown stay apart.
  public struct Part: Hashable, Sendable {
    public var calls: Int64 = 0
    public var charge: Money = .zero
    public var usage: Usage

    public init(source: UsageSource) { usage = Usage(source: source) }

    mutating func add(_ other: Part) {
      calls += other.calls
      charge = charge.addingClamped(other.charge)
      usage.add(other.usage)
    }
  }

  public var app: String
  public var upstream: String
  public var model: String
  /// All calls, refused and open ones included.
  public var calls: Int64 = 0
  public var refused: Int64 = 0
  /// Ended by anything but completion, or answered with a status of 400 or above; not refusals.
  public var failed: Int64 = 0
  public var open: Int64 = 0
  /// Charged at their estimate because the process died with them open.
  public var expired: Int64 = 0
  public var charge: Money = .zero
  /// What was held for calls whose usage was reported, and what those calls cost: how far above
  /// the truth their bounds were. Calls that nothing was held for are in neither; one that was
  /// charged anew counts as it was charged first.
  public var held: Money = .zero
  public var heldCharge: Money = .zero
  /// Calls among them that cost more than was held.
  public var overruns: Int64 = 0
  public var reported = Part(source: .reported)
  public var estimated = Part(source: .estimated)
  /// Calls that ended with nothing known of their usage; refusals are not among them.
  public var unknown = Part(source: .unknown)

  public init(app: String, upstream: String, model: String) {
    self.app = app
    self.upstream = upstream
    self.model = model
  }

  /// Adds another row's sums to this one: for totals by app, or of everything.
  public mutating func add(_ other: UsageTotals) {
    calls += other.calls
    refused += other.refused
    failed += other.failed
    open += other.open
    expired += other.expired
    charge = charge.addingClamped(other.charge)
    held = held.addingClamped(other.held)
    heldCharge = heldCharge.addingClamped(other.heldCharge)
    overruns += other.overruns
    reported.add(other.reported)
    estimated.add(other.estimated)
    unknown.add(other.unknown)
  }
}

extension StoreDatabase {
  /// Totals of calls that began in `since..<until`, a row per app, upstream and model, in that
  /// order.
  ///
  /// Where calls have aged out, the span's edges count whole hours (those that begin in it).
  public func usageTotals(
    app: String? = nil, since: Timestamp, until: Timestamp
  ) throws(StoreFault) -> [UsageTotals] {
    try read("adding up usage") { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          \(Self.usageSumsSQL(condition: Self.spanCondition, hour: nil))
          UNION ALL
          SELECT app, upstream, model, usage_source, 0, \(Self.usageHourSums) FROM usage_hours
          WHERE (?1 IS NULL OR app = ?1) AND hour >= ?2 AND hour < ?3
          GROUP BY app, upstream, model, usage_source
          ORDER BY 1, 2, 3
          """,
        arguments: [app, since.milliseconds, until.milliseconds])
      var totals: [UsageTotals] = []
      while let row = try rows.next() {
        var next = UsageTotals(app: row[0], upstream: row[1], model: row[2])
        next.read(row)
        if let last = totals.last, last.app == next.app, last.upstream == next.upstream,
          last.model == next.model
        {
          totals[totals.count - 1].add(next)
        } else {
          totals.append(next)
        }
      }
      try Self.readUnits(of: &totals, db, app: app, since: since, until: until)
      return totals
    }
  }

  private static let spanCondition = "(?1 IS NULL OR app = ?1) AND at >= ?2 AND at < ?3"

  /// Sums over calls by app, upstream, model, usage source and, where given, an hour expression.
  /// `ended` leaves refusals and open calls out: they have no usage to be unknown.
  private static func usageSumsSQL(condition: String, hour: String?) -> String {
    let ended = "state IN ('settled', 'released', 'expired')"
    let buckets = usageBuckets.map { "sum(\($0))" }.joined(separator: ", ")
    let isHeld = "state = 'settled' AND usage_source = 0 AND estimate > 0"
    // At the prices that it was held at, though it may have been charged anew at others.
    let heldCharge = "coalesce(first_charge, charge)"
    return """
      SELECT app, upstream, model, usage_source, \(hour ?? "0"), count(*),
        sum(state = 'refused'),
        sum(\(ended) AND (coalesce(ending, 0) <> 0 OR status >= 400)),
        sum(state = 'reserved'), sum(state = 'expired'), sum(charge), sum(\(ended)), \(buckets),
        sum(iif(\(isHeld), estimate, 0)), sum(iif(\(isHeld), \(heldCharge), 0)),
        sum(\(isHeld) AND \(heldCharge) > estimate)
      FROM calls WHERE \(condition)
      GROUP BY app, upstream, model, usage_source\(hour.map { ", " + $0 } ?? "")
      """
  }

  private static let usageBuckets = [
    "input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio",
    "input_image", "output_text", "output_reasoning", "output_audio",
  ]

  /// The counts that the roll-up was made with; later ones were added to it.
  private static let firstUsageCounts =
    ["calls", "refused", "failed", "open", "expired", "charge", "ended"] + usageBuckets
  private static let heldCounts = ["held", "held_charge", "overruns"]
  private static let usageCounts = firstUsageCounts + heldCounts

  private static let usageHourSums = usageCounts.map { "sum(\($0))" }.joined(separator: ", ")

  /// Adds the calls before a whole hour, open ones excepted, to the roll-up. The caller deletes
  /// them in the same transaction.
  static func rollUpCalls(_ db: Database, before cut: Timestamp) throws {
    let columns = (["app", "upstream", "model", "usage_source", "hour"] + usageCounts)
      .joined(separator: ", ")
    let additions = usageCounts.map { "\($0) = \($0) + excluded.\($0)" }.joined(separator: ", ")
    let sums = usageSumsSQL(
      condition: "at < ? AND state <> 'reserved'", hour: "at - at % 3600000")
    try db.execute(
      sql: """
        INSERT INTO usage_hours (\(columns)) \(sums)
        ON CONFLICT (app, hour, upstream, model, usage_source) DO UPDATE SET \(additions)
        """,
      arguments: [cut.milliseconds])
  }

  static func createUsageHours(_ db: Database) throws {
    let counts = firstUsageCounts.map { "\($0) INTEGER NOT NULL" }.joined(separator: ",\n  ")
    try db.execute(
      sql: """
        CREATE TABLE usage_hours (
          app TEXT NOT NULL,
          hour INTEGER NOT NULL,
          upstream TEXT NOT NULL,
          model TEXT NOT NULL,
          usage_source INTEGER NOT NULL,
          \(counts),
          PRIMARY KEY (app, hour, upstream, model, usage_source)
        ) STRICT, WITHOUT ROWID
        """)
  }

  /// Hours that were rolled up before say nothing of what was held.
  static func addHeldCounts(_ db: Database) throws {
    for count in heldCounts {
      try db.execute(
        sql: "ALTER TABLE usage_hours ADD COLUMN \(count) INTEGER NOT NULL DEFAULT 0")
    }
  }
}

extension UsageTotals {
  /// Reads the sums that follow app, upstream, model, source and hour.
  fileprivate mutating func read(_ row: Row) {
    calls = row[5]
    refused = row[6]
    failed = row[7]
    open = row[8]
    expired = row[9]
    charge = Money(nanodollars: row[10])
    let source = UsageSource(rawValue: row[3]) ?? .unknown
    var part = Part(source: source)
    part.calls = row[11]
    part.charge = charge
    part.usage.inputUncached = row[12]
    part.usage.cacheRead = row[13]
    part.usage.cacheWrite5m = row[14]
    part.usage.cacheWrite1h = row[15]
    part.usage.inputAudio = row[16]
    part.usage.inputImage = row[17]
    part.usage.outputText = row[18]
    part.usage.outputReasoning = row[19]
    part.usage.outputAudio = row[20]
    held = Money(nanodollars: row[21])
    heldCharge = Money(nanodollars: row[22])
    overruns = row[23]
    switch source {
    case .reported: reported = part
    case .estimated: estimated = part
    case .unknown: unknown = part
    }
  }
}
