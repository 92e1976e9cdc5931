// The rows of a fold's calls: a call that begins and ends in one batch, as most do, is one insert
// with its final values.

internal import GRDB
internal import Metering

/// Writes calls from their events, without a row value between.
struct CallWriter {
  private let db: Database
  private let arena: TextArena
  private var insertion: BoundStatement
  private var update: BoundStatement
  /// Made when the first call has units of a kind that few calls have.
  private var units: BoundStatement?
  private var accountSets: AccountSets

  init(_ db: Database) throws {
    self.db = db
    arena = TextArena()
    accountSets = AccountSets(db)
    insertion = try BoundStatement(db, sql: Self.insertSQL, arena: arena)
    update = try BoundStatement(db, sql: Self.updateSQL, arena: arena)
  }

  private static let insertSQL = """
    INSERT INTO calls (\(StoreDatabase.callColumns.joined(separator: ", ")))
    VALUES (\(StoreDatabase.callColumns.map { _ in "?" }.joined(separator: ", ")))
    """

  /// Columns that a call's last event sets, in the order of `bindEnd`.
  private static let endColumns = [
    "state", "ended_at", "charge", "response_model", "usage_source", "input_uncached",
    "cache_read", "cache_write_5m", "cache_write_1h", "input_audio", "input_image", "output_text",
    "output_reasoning", "output_audio", "status", "ending", "duration_ms", "first_byte_ms",
    "service_tier",
  ]

  private static let updateSQL = """
    UPDATE calls SET \(endColumns.map { "\($0) = ?" }.joined(separator: ", "))
    WHERE call = ? AND state = 'reserved'
    """

  /// Writes the rows of consecutive events.
  mutating func write(_ events: ArraySlice<LedgerEvent>) throws {
    guard let first = events.first?.sequence else { return }
    // A call's number is the sequence of its first event, so that its place in the batch is known
    // and where it ends needs a list, not a table.
    var endIndices = [Int](repeating: -1, count: events.count)
    var earlier: [CallEnd] = []
    for (index, event) in zip(events.indices, events) {
      guard let call = event.endedCall else { continue }
      if call.number >= first {
        let place = Int(call.number - first)
        if place < endIndices.count, endIndices[place] < 0 { endIndices[place] = index }
      } else if let end = CallEnd(event) {
        earlier.append(end)
      }
    }
    for event in events {
      switch event.kind {
      case .reserved(let reserved):
        let end = endIndices[Int(event.sequence - first)]
        try insert(reserved, at: event.at, end: end < 0 ? nil : CallEnd(events[end]))
      case .refused(let refused): try insert(refused, at: event.at)
      case .settled, .released, .expired, .capped, .isolated, .repriced, .followed, .forgotten:
        break
      }
    }
    for end in earlier {
      bind(state: end.state, to: &update)
      update.bind(end.at.milliseconds)
      update.bind(end.charge.nanodollars)
      update.bind(end.outcome?.responseModel ?? "")
      bindOutcome(end.outcome, to: &update)
      update.bind(end.outcome?.serviceTier)
      update.bind(Int64(end.call.number))
      try update.run()
      try insertUnits(of: end.call, end.outcome)
    }
    for case .repriced(let repricing) in events.lazy.map(\.kind) { try reprice(repricing) }
  }

  /// What a call was charged first stays beside what it is charged now.
  private func reprice(_ repricing: Repricing) throws {
    var update = try BoundStatement(
      db,
      sql: """
        UPDATE calls SET first_charge = coalesce(first_charge, charge), charge = ?
        WHERE call = ?
        """,
      arena: arena)
    for charge in repricing.charges {
      update.bind(charge.charge.nanodollars)
      update.bind(Int64(charge.call.number))
      try update.run()
    }
    try db.execute(
      sql: "DELETE FROM repricing_calls WHERE repricing <= ?", arguments: [repricing.number])
  }

  private mutating func insert(
    _ reserved: LedgerEvent.Reserved, at: Timestamp, end: CallEnd?
  ) throws {
    insertion.bind(Int64(reserved.call.number))
    bind(state: end?.state ?? .reserved, to: &insertion)
    insertion.bind(reserved.app)
    insertion.bind(reserved.key)
    insertion.bind(reserved.upstream)
    insertion.bind(reserved.model)
    insertion.bind(end?.outcome?.responseModel ?? "")
    insertion.bind(Int64(reserved.isStream ? 1 : 0))
    insertion.bind(at.milliseconds)
    insertion.bind(end?.at.milliseconds)
    insertion.bind(reserved.amounts.money.nanodollars)
    insertion.bind(end?.charge.nanodollars ?? 0)
    bindOutcome(end?.outcome, to: &insertion)
    // Why it was refused: it was not.
    for _ in 0..<10 { insertion.bindNull() }
    insertion.bind(end?.outcome?.serviceTier)
    insertion.bind(try accountSets.number(of: reserved.accounts))
    insertion.bindNull()
    insertion.bindNull()
    let holdsLess = reserved.most != reserved.amounts.money
    insertion.bind(holdsLess ? reserved.most.nanodollars : nil)
    try insertion.run()
    try insertUnits(of: reserved.call, end?.outcome)
  }

  /// Part 0 is the model that answered; the others follow in their order.
  private mutating func insertUnits(of call: CallID, _ outcome: CallOutcome?) throws {
    guard let outcome, !outcome.usage.others.isEmpty || !outcome.otherModels.isEmpty else { return }
    for other in outcome.usage.others {
      try insertUnit(of: call, part: 0, model: "", other.bucket, other.count)
    }
    for (index, other) in outcome.otherModels.enumerated() {
      for bucket in UsageBucket.allCases where other.usage[bucket] != 0 {
        try insertUnit(
          of: call, part: index + 1, model: other.model, bucket, other.usage[bucket])
      }
    }
  }

  private mutating func insertUnit(
    of call: CallID, part: Int, model: String, _ bucket: UsageBucket, _ count: Int64
  ) throws {
    var statement = try units ?? BoundStatement(db, sql: StoreDatabase.insertUnitSQL, arena: arena)
    statement.bind(Int64(call.number))
    statement.bind(Int64(part))
    statement.bind(model)
    statement.bind(bucket.name)
    statement.bind(count)
    try statement.run()
    units = statement
  }

  private mutating func insert(_ refused: LedgerEvent.Refused, at: Timestamp) throws {
    let budget = refused.budget
    insertion.bind(Int64(refused.call.number))
    bind(state: .refused, to: &insertion)
    insertion.bind(refused.app)
    insertion.bind(refused.key)
    insertion.bind(refused.upstream)
    insertion.bind(refused.model)
    insertion.bind("")
    insertion.bind(Int64(0))
    insertion.bind(at.milliseconds)
    insertion.bind(at.milliseconds)
    insertion.bind(budget?.estimateMoney.nanodollars ?? 0)
    insertion.bind(Int64(0))
    bind(.unknown, to: &insertion)
    insertion.bind(Int64(refused.status))
    insertion.bindNull()
    insertion.bind(Int64(0))
    insertion.bind(Int64(-1))
    insertion.bind(refused.code)
    insertion.bind(refused.message)
    insertion.bind(budget?.budget)
    insertion.bind(budget?.window)
    insertion.bind(budget?.settled.count)
    insertion.bind(budget?.reserved.count)
    insertion.bind(budget?.cap.count)
    insertion.bind(budget?.estimate.count)
    insertion.bind(budget?.resetsAt.milliseconds)
    insertion.bind(budget?.resetsAtText)
    // Neither a service tier nor accounts: it was never made.
    insertion.bindNull()
    insertion.bindNull()
    insertion.bind(budget?.scope.text)
    insertion.bind((budget?.cap.unit.rawValue).map(Int64.init))
    insertion.bindNull()
    try insertion.run()
  }

  /// Usage, status, ending, duration and first byte; nil: the call is open, or what it used will
  /// never be known.
  private func bindOutcome(_ outcome: CallOutcome?, to statement: inout BoundStatement) {
    guard let outcome else {
      bind(.unknown, to: &statement)
      statement.bind(Int64(0))
      statement.bindNull()
      statement.bind(Int64(0))
      statement.bind(Int64(-1))
      return
    }
    bind(outcome.usage, to: &statement)
    statement.bind(Int64(outcome.status))
    statement.bind(Int64(outcome.ending.rawValue))
    statement.bind(outcome.durationMilliseconds)
    statement.bind(outcome.firstByteMilliseconds)
  }

  private func bind(_ usage: Usage, to statement: inout BoundStatement) {
    statement.bind(Int64(usage.source.rawValue))
    statement.bind(usage.inputUncached)
    statement.bind(usage.cacheRead)
    statement.bind(usage.cacheWrite5m)
    statement.bind(usage.cacheWrite1h)
    statement.bind(usage.inputAudio)
    statement.bind(usage.inputImage)
    statement.bind(usage.outputText)
    statement.bind(usage.outputReasoning)
    statement.bind(usage.outputAudio)
  }

  /// As `CallRow.State` spells them.
  private func bind(state: CallRow.State, to statement: inout BoundStatement) {
    switch state {
    case .reserved: statement.bind("reserved" as StaticString)
    case .settled: statement.bind("settled" as StaticString)
    case .released: statement.bind("released" as StaticString)
    case .expired: statement.bind("expired" as StaticString)
    case .refused: statement.bind("refused" as StaticString)
    }
  }
}

extension BudgetRefusal {
  /// What the call was to hold, where that is what it was refused for.
  fileprivate var estimateMoney: Money {
    if case .money(let money) = estimate { money } else { .zero }
  }
}
