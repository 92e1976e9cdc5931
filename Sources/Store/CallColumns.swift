// How a call lies in its row: the one list of columns, and how it is read.

internal import GRDB
internal import Metering

extension StoreDatabase {
  /// Columns of `calls` in the order of `CallWriter`.
  static let callColumns = [
    "call", "state", "app", "key", "upstream", "model", "response_model", "is_stream", "at",
    "ended_at", "estimate", "charge", "usage_source", "input_uncached", "cache_read",
    "cache_write_5m", "cache_write_1h", "input_audio", "input_image", "output_text",
    "output_reasoning", "output_audio", "status", "ending", "duration_ms", "first_byte_ms",
    "refusal_code", "refusal_message", "refusal_budget", "refusal_window", "refusal_settled",
    "refusal_reserved", "refusal_cap", "refusal_estimate", "refusal_resets_at",
    "refusal_resets_at_text", "service_tier", "account_set", "refusal_scope", "refusal_unit",
    "most",
  ]

  /// Columns in the order of `CallRow.init(row:)`.
  static let callColumnsRead = (callColumns + ["first_charge"]).joined(separator: ", ")

  static func createCalls(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE calls (
          call INTEGER PRIMARY KEY,
          state TEXT NOT NULL,
          app TEXT NOT NULL,
          key INTEGER NOT NULL,
          upstream TEXT NOT NULL,
          model TEXT NOT NULL,
          response_model TEXT NOT NULL,
          is_stream INTEGER NOT NULL,
          at INTEGER NOT NULL,
          ended_at INTEGER,
          estimate INTEGER NOT NULL,
          charge INTEGER NOT NULL,
          usage_source INTEGER NOT NULL,
          input_uncached INTEGER NOT NULL,
          cache_read INTEGER NOT NULL,
          cache_write_5m INTEGER NOT NULL,
          cache_write_1h INTEGER NOT NULL,
          input_audio INTEGER NOT NULL,
          input_image INTEGER NOT NULL,
          output_text INTEGER NOT NULL,
          output_reasoning INTEGER NOT NULL,
          output_audio INTEGER NOT NULL,
          status INTEGER NOT NULL,
          ending INTEGER,
          duration_ms INTEGER NOT NULL,
          first_byte_ms INTEGER NOT NULL,
          refusal_code TEXT,
          refusal_message TEXT,
          refusal_budget TEXT,
          refusal_window TEXT,
          refusal_settled INTEGER,
          refusal_reserved INTEGER,
          refusal_cap INTEGER,
          refusal_estimate INTEGER,
          refusal_resets_at INTEGER,
          refusal_resets_at_text TEXT
        ) STRICT;
        CREATE INDEX calls_by_app ON calls (app, at);
        CREATE INDEX calls_by_time ON calls (at);
        """)
    try createUsageHours(db)
  }

  /// Null: what it held.
  static func addMost(_ db: Database) throws {
    try db.execute(sql: "ALTER TABLE calls ADD COLUMN most INTEGER")
  }
}

extension CallRow {
  init(row: Row) {
    self.init(
      call: CallID(UInt64(row[0] as Int64)), state: State(rawValue: row[1]) ?? .refused,
      app: row[2], key: row[3], upstream: row[4], model: row[5],
      at: Timestamp(milliseconds: row[8]))
    responseModel = row[6]
    isStream = row[7]
    endedAt = (row[9] as Int64?).map(Timestamp.init(milliseconds:))
    estimate = Money(nanodollars: row[10])
    charge = Money(nanodollars: row[11])
    usage = Self.usage(row)
    status = row[22]
    ending = (row[23] as UInt8?).flatMap(CallEnding.init(rawValue:))
    durationMilliseconds = row[24]
    firstByteMilliseconds = row[25]
    serviceTier = row[36]
    hasKnownAccounts = (row[37] as Int64?) != nil
    most = (row[40] as Int64?).map(Money.init(nanodollars:)) ?? estimate
    firstCharge = (row[41] as Int64?).map(Money.init(nanodollars:))
    refusalCode = row[26]
    refusalMessage = row[27]
    guard let budget = row[28] as String? else { return }
    // A refusal of before there were others is by the app's money.
    let unit = (row[39] as UInt8?).flatMap(BudgetUnit.init(rawValue:)) ?? .money
    refusalBudget = BudgetRefusal(
      scope: (row[38] as String?).map(BudgetScope.init(text:)) ?? .app(app), budget: budget,
      window: row[29], settled: Amount(unit, count: row[30]),
      reserved: Amount(unit, count: row[31]), cap: Amount(unit, count: row[32]),
      estimate: Amount(unit, count: row[33]), resetsAt: Timestamp(milliseconds: row[34]),
      resetsAtText: row[35])
  }

  private static func usage(_ row: Row) -> Usage {
    var usage = Usage(source: UsageSource(rawValue: row[12]) ?? .unknown)
    usage.inputUncached = row[13]
    usage.cacheRead = row[14]
    usage.cacheWrite5m = row[15]
    usage.cacheWrite1h = row[16]
    usage.inputAudio = row[17]
    usage.inputImage = row[18]
    usage.outputText = row[19]
    usage.outputReasoning = row[20]
    usage.outputAudio = row[21]
    return usage
  }
}
