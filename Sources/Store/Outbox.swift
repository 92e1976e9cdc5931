// The outbox: alerts that were raised and where they still have to go.
//
// An alert and its deliveries are one transaction under the alert's own key: raising it again, by a
// retry, a restart or a second process, finds the key and does nothing.

internal import GRDB
public import Metering

/// One alert, as raised.
public struct AlertRow: Hashable, Sendable {
  /// What makes it this alert and no other: `budget/APP/day/2026-11-23/80`.
  public var key: String
  public var app: String
  public var kind: String
  public var severity: String
  public var title: String
  public var body: String
  /// The alert for machines, as a JSON object.
  public var payloadJSON: String
  public var at: Timestamp

  public init(
    key: String, app: String, kind: String, severity: String, title: String, body: String,
    payloadJSON: String = "{}", at: Timestamp
  ) {
    self.key = key
    self.app = app
    self.kind = kind
    self.severity = severity
    self.title = title
    self.body = body
    self.payloadJSON = payloadJSON
    self.at = at
  }
}

/// One alert's way to one receiver.
public struct DeliveryRow: Hashable, Sendable {
  public enum State: String, Hashable, Sendable, CaseIterable {
    case pending, delivered, abandoned
  }

  public var id: Int64
  public var alertKey: String
  /// `log`, `email` or `webhook`.
  public var channel: String
  public var address: String
  public var state: State
  /// Attempts begun, the running one included.
  public var attempts: Int
  public var nextAttemptAt: Timestamp
  /// Until when a claimer holds it; nil where none does.
  public var claimedUntil: Timestamp?
  /// Empty where none failed.
  public var lastError: String
}

/// A delivery that its claimer alone may attempt until `delivery.claimedUntil`.
public struct ClaimedDelivery: Hashable, Sendable {
  public var delivery: DeliveryRow
  public var alert: AlertRow
}

/// How an attempt ended.
public enum DeliveryOutcome: Hashable, Sendable {
  case delivered
  case retry(at: Timestamp, error: String)
  case abandoned(error: String)
}

extension StoreDatabase {
  /// Raises an alert with its deliveries, due at once. False, and nothing stored, where the key is
  /// there already.
  @discardableResult
  public func enqueueAlert(
    _ alert: AlertRow, deliveries: [(channel: String, address: String)]
  ) throws(StoreFault) -> Bool {
    try write("raising an alert") { db in try Self.insertAlert(db, alert, deliveries) }
  }

  @discardableResult
  static func insertAlert(
    _ db: Database, _ alert: AlertRow, _ deliveries: [(channel: String, address: String)]
  ) throws -> Bool {
    try db.execute(
      sql: """
        INSERT INTO alerts (key, app, kind, severity, title, body, payload, at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING
        """,
      arguments: [
        alert.key, alert.app, alert.kind, alert.severity, alert.title, alert.body,
        alert.payloadJSON, alert.at.milliseconds,
      ])
    guard db.changesCount == 1 else { return false }
    for delivery in deliveries {
      try db.execute(
        sql: """
          INSERT INTO deliveries (alert, channel, address, state, attempts, next_attempt_at,
            last_error) VALUES (?, ?, ?, 'pending', 0, ?, '')
          ON CONFLICT (alert, channel, address) DO NOTHING
          """,
        arguments: [alert.key, delivery.channel, delivery.address, alert.at.milliseconds])
    }
    return true
  }

  /// Takes deliveries that are due, for this caller alone, until the lease ends.
  ///
  /// A claimer that dies leaves its claim to run out; the delivery is then attempted again, so a
  /// receiver may see an alert twice, never zero times.
  public func claimDeliveries(
    now: Timestamp, leaseSeconds: Int, limit: Int
  ) throws(StoreFault) -> [ClaimedDelivery] {
    try write("claiming deliveries") { db in
      let due = try Row.fetchAll(
        db,
        sql: """
          SELECT \(Self.deliveryColumns), \(Self.alertColumns)
          FROM deliveries JOIN alerts ON alerts.key = deliveries.alert
          WHERE state = 'pending' AND next_attempt_at <= ?1
            AND (claimed_until IS NULL OR claimed_until <= ?1)
          ORDER BY next_attempt_at, deliveries.id LIMIT ?2
          """,
        arguments: [now.milliseconds, limit])
      let until = now.adding(milliseconds: Int64(leaseSeconds) * 1000)
      return try due.map { row in
        var claimed = ClaimedDelivery(
          delivery: Self.delivery(row), alert: Self.alert(row, from: Self.deliveryColumnCount))
        claimed.delivery.attempts += 1
        claimed.delivery.claimedUntil = until
        try db.execute(
          sql: "UPDATE deliveries SET claimed_until = ?, attempts = attempts + 1 WHERE id = ?",
          arguments: [until.milliseconds, claimed.delivery.id])
        return claimed
      }
    }
  }

  /// Records how an attempt ended.
  ///
  /// - Parameter attempt: the claimed delivery's `attempts`. Where another claimer has begun a
  ///   later attempt meanwhile, or the delivery has ended, nothing changes and the answer is
  ///   false.
  @discardableResult
  public func finishDelivery(
    id: Int64, attempt: Int, outcome: DeliveryOutcome
  ) throws(StoreFault) -> Bool {
    try write("finishing a delivery") { db in
      let (state, next, error): (DeliveryRow.State, Int64?, String) =
        switch outcome {
        case .delivered: (.delivered, nil, "")
        case .retry(let at, let error): (.pending, at.milliseconds, error)
        case .abandoned(let error): (.abandoned, nil, error)
        }
      try db.execute(
        sql: """
          UPDATE deliveries SET state = ?, next_attempt_at = coalesce(?, next_attempt_at),
            claimed_until = NULL, last_error = ?
          WHERE id = ? AND attempts = ? AND state = 'pending'
          """,
        arguments: [state.rawValue, next, error, id, attempt])
      return db.changesCount == 1
    }
  }

  /// When the next delivery is due, claims included; nil where none is pending.
  public func nextDeliveryAt() throws(StoreFault) -> Timestamp? {
    try read("reading the outbox") { db in
      try Int64.fetchOne(
        db,
        sql: """
          SELECT min(max(next_attempt_at, coalesce(claimed_until, next_attempt_at)))
          FROM deliveries WHERE state = 'pending'
          """
      ).map(Timestamp.init(milliseconds:))
    }
  }

  /// Deliveries that wait, and those that were given up.
  public func outboxCounts() throws(StoreFault) -> (pending: Int, abandoned: Int) {
    try read("counting deliveries") { db in
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT coalesce(sum(state = 'pending'), 0), coalesce(sum(state = 'abandoned'), 0)
          FROM deliveries
          """)
      return (pending: row?[0] ?? 0, abandoned: row?[1] ?? 0)
    }
  }

  /// The newest alerts first.
  /// - Parameter app: only this app's.
  public func alerts(app: String? = nil, limit: Int = 100) throws(StoreFault) -> [AlertRow] {
    try read("reading alerts") { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT \(Self.alertColumns) FROM alerts WHERE ?1 IS NULL OR app = ?1
          ORDER BY at DESC, key LIMIT ?2
          """,
        arguments: [app, limit]
      ).map { Self.alert($0, from: 0) }
    }
  }

  /// An alert's deliveries in order of their ids.
  public func deliveries(alertKey: String) throws(StoreFault) -> [DeliveryRow] {
    try read("reading the outbox") { db in
      try Row.fetchAll(
        db,
        sql: "SELECT \(Self.deliveryColumns) FROM deliveries WHERE alert = ? ORDER BY id",
        arguments: [alertKey]
      ).map(Self.delivery)
    }
  }

  private static let deliveryColumns = """
    deliveries.id, alert, channel, address, state, attempts, next_attempt_at, claimed_until,
    last_error
    """
  private static let deliveryColumnCount = 9
  private static let alertColumns =
    "alerts.key, alerts.app, kind, severity, title, body, payload, alerts.at"

  private static func delivery(_ row: Row) -> DeliveryRow {
    DeliveryRow(
      id: row[0], alertKey: row[1], channel: row[2], address: row[3],
      state: DeliveryRow.State(rawValue: row[4]) ?? .abandoned, attempts: row[5],
      nextAttemptAt: Timestamp(milliseconds: row[6]),
      claimedUntil: (row[7] as Int64?).map(Timestamp.init(milliseconds:)), lastError: row[8])
  }

  private static func alert(_ row: Row, from first: Int) -> AlertRow {
    AlertRow(
      key: row[first], app: row[first + 1], kind: row[first + 2], severity: row[first + 3],
      title: row[first + 4], body: row[first + 5], payloadJSON: row[first + 6],
      at: Timestamp(milliseconds: row[first + 7]))
  }

  static func createOutbox(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE alerts (
          key TEXT PRIMARY KEY,
          app TEXT NOT NULL,
          kind TEXT NOT NULL,
          severity TEXT NOT NULL,
          title TEXT NOT NULL,
          body TEXT NOT NULL,
          payload TEXT NOT NULL,
          at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX alerts_by_time ON alerts (at);
        CREATE TABLE deliveries (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          alert TEXT NOT NULL REFERENCES alerts (key) ON DELETE CASCADE,
          channel TEXT NOT NULL,
          address TEXT NOT NULL,
          state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'abandoned')),
          attempts INTEGER NOT NULL,
          next_attempt_at INTEGER NOT NULL,
          claimed_until INTEGER,
          last_error TEXT NOT NULL,
          UNIQUE (alert, channel, address)
        ) STRICT;
        CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE state = 'pending';
        """)
  }
}
