// A ledger event as the payload of a journal record.
//
// Fields in the order of their declaration: integers as LEB128 (zigzag where they may be negative),
// text as length and UTF-8, a list as count and elements, an option as 0 or 1 and the value. The
// kind's number is in the record's head; numbers are never reused.

internal import Metering

/// A record's kind, as in byte 16 of its head.
enum RecordKind: UInt8 {
  case reserved = 1
  case settled = 2
  case released = 3
  case expired = 4
  case refused = 5
  case capped = 6
  case repriced = 7
  case followed = 8
  case forgotten = 9
  case isolated = 10
}

extension LedgerEvent {
  var recordKind: RecordKind {
    switch kind {
    case .reserved: .reserved
    case .settled: .settled
    case .released: .released
    case .expired: .expired
    case .refused: .refused
    case .capped: .capped
    case .repriced: .repriced
    case .followed: .followed
    case .forgotten: .forgotten
    case .isolated: .isolated
    }
  }

  /// A caller makes up model names, and one may be as long as a body; the journal keeps so much.
  static let nameBytesMax = 1024
  static let messageBytesMax = 8192

  /// At least as many bytes as `encode` writes.
  var payloadBytesMax: Int {
    // Integers and flags of the largest kind, and the lengths of its texts.
    let integers = 32 * ByteWriter.integerBytesMax
    switch kind {
    case .reserved(let reserved):
      let names =
        reserved.app.utf8.count + reserved.upstream.utf8.count
        + reserved.model.utf8.count
      return reserved.accounts.reduce(integers + names) { bytes, account in
        bytes + account.scope.text.utf8.count + account.budget.utf8.count
          + account.window.utf8.count
          + 3 * ByteWriter.integerBytesMax
      }
    case .settled(let settled): return integers + Self.bytesMax(of: settled.outcome)
    case .released(_, let outcome): return integers + Self.bytesMax(of: outcome)
    case .expired: return integers
    case .refused(let refused):
      let budget = refused.budget.map {
        $0.scope.text.utf8.count + $0.budget.utf8.count + $0.window.utf8.count
          + $0.resetsAtText.utf8.count
      }
      return integers + refused.app.utf8.count + refused.upstream.utf8.count
        + refused.model.utf8.count + refused.code.utf8.count + refused.message.utf8.count
        + (budget ?? 0)
    case .capped(let app, let reason, _):
      return integers + app.utf8.count + (reason?.utf8.count ?? 0)
    case .repriced(let repricing): return integers + repricing.payloadBytesMax
    case .followed(_, let job): return integers + job.payloadBytesMax
    case .forgotten: return integers
    case .isolated(let app, let isolation):
      return integers + app.utf8.count + isolation.actor.utf8.count + isolation.reason.utf8.count
    }
  }

  private static func bytesMax(of outcome: CallOutcome) -> Int {
    let names = outcome.responseModel.utf8.count + (outcome.serviceTier?.utf8.count ?? 0)
    let count = 1 + ByteWriter.integerBytesMax
    return outcome.otherModels.reduce(names + outcome.usage.others.count * count) { bytes, other in
      bytes + other.model.utf8.count + 3 * ByteWriter.integerBytesMax
        + (9 + other.usage.others.count) * count
    }
  }

  /// Writes the payload: the time, then what the kind has.
  func encode(to writer: inout ByteWriter) {
    writer.signed(at.milliseconds)
    switch kind {
    case .reserved(let reserved): Self.encode(reserved, to: &writer)
    case .settled(let settled):
      writer.unsigned(settled.call.number)
      writer.signed(settled.charge.nanodollars)
      Self.encode(settled.outcome, to: &writer)
    case .released(let call, let outcome):
      writer.unsigned(call.number)
      Self.encode(outcome, to: &writer)
    case .expired(let call, let charge):
      writer.unsigned(call.number)
      writer.signed(charge.nanodollars)
    case .refused(let refused): Self.encode(refused, to: &writer)
    case .capped(let app, let reason, let order):
      writer.text(app)
      writer.byte(reason == nil ? 0 : 1)
      if let reason { writer.text(reason) }
      writer.signed(order)
    case .repriced(let repricing): repricing.encode(to: &writer)
    case .followed(let call, let job):
      writer.unsigned(call.number)
      job.encode(to: &writer)
    case .forgotten: break
    case .isolated(let app, let isolation): isolation.encode(of: app, to: &writer)
    }
  }

  /// Of the byte that says whether the call is a stream. Before there were other units than money,
  /// no tokens and calls followed it; where it may cost more than it holds, the most follows those.
  private static let streamBit: UInt8 = 1
  private static let unitsBit: UInt8 = 2
  private static let mostBit: UInt8 = 4

  private static func encode(_ reserved: Reserved, to writer: inout ByteWriter) {
    writer.unsigned(reserved.call.number)
    writer.text(reserved.app)
    writer.signed(reserved.key)
    writer.text(reserved.upstream, bytesMax: nameBytesMax)
    writer.text(reserved.model, bytesMax: nameBytesMax)
    let holdsLess = reserved.most != reserved.amounts.money
    writer.byte((reserved.isStream ? streamBit : 0) | unitsBit | (holdsLess ? mostBit : 0))
    writer.signed(reserved.amounts.money.nanodollars)
    writer.signed(reserved.amounts.tokens)
    writer.signed(reserved.amounts.calls)
    if holdsLess { writer.signed(reserved.most.nanodollars) }
    writer.unsigned(UInt64(reserved.accounts.count))
    for account in reserved.accounts {
      writer.text(account.scope.text)
      writer.text(account.budget)
      writer.text(account.window)
    }
  }

  private static func encode(_ outcome: CallOutcome, to writer: inout ByteWriter) {
    writer.unsigned(UInt64(outcome.status))
    writer.byte(outcome.ending.rawValue)
    let usage = outcome.usage
    writer.byte(usage.source.rawValue)
    writer.signed(usage.inputUncached)
    writer.signed(usage.cacheRead)
    writer.signed(usage.cacheWrite5m)
    writer.signed(usage.cacheWrite1h)
    writer.signed(usage.inputAudio)
    writer.signed(usage.inputImage)
    writer.signed(usage.outputText)
    writer.signed(usage.outputReasoning)
    writer.signed(usage.outputAudio)
    writer.text(outcome.responseModel, bytesMax: nameBytesMax)
    writer.signed(outcome.durationMilliseconds)
    writer.signed(outcome.firstByteMilliseconds)
    encodeRest(of: outcome, to: &writer)
  }

  /// What few calls have stands behind the rest, and is left out where there is nothing of it.
  private static func encodeRest(of outcome: CallOutcome, to writer: inout ByteWriter) {
    let others = outcome.usage.others
    guard outcome.serviceTier != nil || !others.isEmpty || !outcome.otherModels.isEmpty else {
      return
    }
    writer.byte(outcome.serviceTier == nil ? 0 : 1)
    if let tier = outcome.serviceTier { writer.text(tier, bytesMax: nameBytesMax) }
    writer.unsigned(UInt64(others.count))
    for other in others { encode(other, to: &writer) }
    writer.unsigned(UInt64(outcome.otherModels.count))
    for other in outcome.otherModels {
      writer.text(other.model, bytesMax: nameBytesMax)
      writer.byte(other.usage.source.rawValue)
      var count: UInt64 = 0
      other.usage.forEachCount { _, _ in count += 1 }
      writer.unsigned(count)
      other.usage.forEachCount { encode(UsageCount($0, $1), to: &writer) }
    }
  }

  private static func encode(_ count: UsageCount, to writer: inout ByteWriter) {
    writer.byte(count.bucket.rawValue)
    writer.signed(count.count)
  }

  private static func encode(_ refused: Refused, to writer: inout ByteWriter) {
    writer.unsigned(refused.call.number)
    writer.text(refused.app)
    writer.signed(refused.key)
    writer.text(refused.upstream, bytesMax: nameBytesMax)
    writer.text(refused.model, bytesMax: nameBytesMax)
    writer.unsigned(UInt64(refused.status))
    writer.text(refused.code, bytesMax: nameBytesMax)
    writer.text(refused.message, bytesMax: messageBytesMax)
    // 1: a budget of the app's in money, from before there were others.
    writer.byte(refused.budget == nil ? 0 : 2)
    guard let budget = refused.budget else { return }
    writer.text(budget.scope.text)
    writer.byte(budget.cap.unit.rawValue)
    writer.text(budget.budget)
    writer.text(budget.window)
    writer.signed(budget.settled.count)
    writer.signed(budget.reserved.count)
    writer.signed(budget.cap.count)
    writer.signed(budget.estimate.count)
    writer.signed(budget.resetsAt.milliseconds)
    writer.text(budget.resetsAtText)
  }
}

/// The accounts of the event read last, with their bytes: most events name the same ones as the
/// one before, and to make nine strings of them again is most of what a record costs.
struct AccountsMemo {
  private var bytes: [UInt8] = []
  private var accounts: [AccountID] = []

  /// The accounts that these bytes say, read or remembered.
  mutating func read(
    _ reader: inout ByteReader
  ) throws(ByteReader.Malformed) -> [AccountID] {
    let rest = reader.rest
    let isSame = bytes.withUnsafeBytes { $0.count == rest.count && $0.elementsEqual(rest) }
    if isSame, !bytes.isEmpty {
      reader.skipRest()
      return accounts
    }
    var accounts: [AccountID] = []
    for _ in 0..<(try reader.unsigned()) {
      accounts.append(
        AccountID(
          scope: BudgetScope(text: try reader.text()), budget: try reader.text(),
          window: try reader.text()))
    }
    // They stand at the payload's end; bytes behind them would be a fault, and are not remembered.
    if reader.isAtEnd { (bytes, self.accounts) = (Array(rest), accounts) }
    return accounts
  }
}

extension LedgerEvent {
  /// Reads a payload; all of it must be used.
  init(
    sequence: UInt64, kind: RecordKind, payload: UnsafeRawBufferPointer
  ) throws(ByteReader.Malformed) {
    var memo = AccountsMemo()
    try self.init(sequence: sequence, kind: kind, payload: payload, memo: &memo)
  }

  /// As above, over many payloads.
  init(
    sequence: UInt64, kind: RecordKind, payload: UnsafeRawBufferPointer, memo: inout AccountsMemo
  ) throws(ByteReader.Malformed) {
    var reader = ByteReader(payload)
    let at = Timestamp(milliseconds: try reader.signed())
    let value: Kind
    switch kind {
    case .reserved: value = .reserved(try Self.reserved(&reader, &memo))
    case .settled:
      value = .settled(
        Settled(
          call: CallID(try reader.unsigned()), charge: Money(nanodollars: try reader.signed()),
          outcome: try Self.outcome(&reader)))
    case .released: value = .released(CallID(try reader.unsigned()), try Self.outcome(&reader))
    case .expired:
      value = .expired(
        CallID(try reader.unsigned()), charge: Money(nanodollars: try reader.signed()))
    case .refused: value = .refused(try Self.refused(&reader))
    case .capped:
      let app = try reader.text()
      let reason = try Self.flag(&reader) ? try reader.text() : nil
      value = .capped(app: app, reason: reason, order: try reader.signed())
    case .repriced: value = .repriced(try Repricing(&reader))
    case .followed:
      value = .followed(CallID(try reader.unsigned()), try FollowedJob(&reader))
    case .forgotten: value = .forgotten
    case .isolated: value = try Isolation.event(&reader)
    }
    guard reader.isAtEnd else { throw ByteReader.Malformed() }
    self.init(sequence: sequence, at: at, kind: value)
  }

  static func flag(_ reader: inout ByteReader) throws(ByteReader.Malformed) -> Bool {
    switch try reader.byte() {
    case 0: false
    case 1: true
    default: throw ByteReader.Malformed()
    }
  }

  static func status(_ reader: inout ByteReader) throws(ByteReader.Malformed) -> UInt16 {
    guard let status = UInt16(exactly: try reader.unsigned()) else { throw ByteReader.Malformed() }
    return status
  }

  private static func reserved(
    _ reader: inout ByteReader, _ memo: inout AccountsMemo
  ) throws(ByteReader.Malformed) -> Reserved {
    var reserved = Reserved(
      call: CallID(try reader.unsigned()), app: try reader.text(), key: try reader.signed(),
      upstream: try reader.text(), model: try reader.text(), isStream: false, amounts: .zero,
      accounts: [])
    let bits = try reader.byte()
    guard bits & ~(streamBit | unitsBit | mostBit) == 0 else { throw ByteReader.Malformed() }
    reserved.isStream = bits & streamBit != 0
    reserved.amounts.money = Money(nanodollars: try reader.signed())
    if bits & unitsBit != 0 {
      reserved.amounts.tokens = try reader.signed()
      reserved.amounts.calls = try reader.signed()
    }
    reserved.most = reserved.amounts.money
    if bits & mostBit != 0 { reserved.most = Money(nanodollars: try reader.signed()) }
    reserved.accounts = try memo.read(&reader)
    return reserved
  }

  private static func outcome(
    _ reader: inout ByteReader
  ) throws(ByteReader.Malformed) -> CallOutcome {
    let status = try status(&reader)
    guard let ending = CallEnding(rawValue: try reader.byte()),
      let source = UsageSource(rawValue: try reader.byte())
    else { throw ByteReader.Malformed() }
    var usage = Usage(source: source)
    usage.inputUncached = try reader.signed()
    usage.cacheRead = try reader.signed()
    usage.cacheWrite5m = try reader.signed()
    usage.cacheWrite1h = try reader.signed()
    usage.inputAudio = try reader.signed()
    usage.inputImage = try reader.signed()
    usage.outputText = try reader.signed()
    usage.outputReasoning = try reader.signed()
    usage.outputAudio = try reader.signed()
    var outcome = CallOutcome(
      status: status, ending: ending, usage: usage, responseModel: try reader.text(),
      durationMilliseconds: try reader.signed(), firstByteMilliseconds: try reader.signed())
    if !reader.isAtEnd { try readRest(of: &outcome, &reader) }
    return outcome
  }

  private static func readRest(
    of outcome: inout CallOutcome, _ reader: inout ByteReader
  ) throws(ByteReader.Malformed) {
    if try flag(&reader) { outcome.serviceTier = try reader.text() }
    try readCounts(into: &outcome.usage, &reader)
    for _ in 0..<(try reader.unsigned()) {
      let model = try reader.text()
      guard let source = UsageSource(rawValue: try reader.byte()) else {
        throw ByteReader.Malformed()
      }
      var usage = Usage(source: source)
      try readCounts(into: &usage, &reader)
      outcome.otherModels.append(ModelUsage(model: model, usage: usage))
    }
  }

  /// A bucket that is not known comes from a newer version: to pass over it would lose money.
  private static func readCounts(
    into usage: inout Usage, _ reader: inout ByteReader
  ) throws(ByteReader.Malformed) {
    for _ in 0..<(try reader.unsigned()) {
      guard let bucket = UsageBucket(rawValue: try reader.byte()) else {
        throw ByteReader.Malformed()
      }
      usage[bucket] = try reader.signed()
    }
  }

  private static func refused(
    _ reader: inout ByteReader
  ) throws(ByteReader.Malformed) -> Refused {
    var refused = Refused(
      call: CallID(try reader.unsigned()), app: try reader.text(), key: try reader.signed(),
      upstream: try reader.text(), model: try reader.text(), status: try status(&reader),
      code: try reader.text(), message: try reader.text(), budget: nil)
    var scope = BudgetScope.app(refused.app)
    var unit = BudgetUnit.money
    switch try reader.byte() {
    case 0: return refused
    case 1: break
    case 2:
      scope = BudgetScope(text: try reader.text())
      guard let read = BudgetUnit(rawValue: try reader.byte()) else {
        throw ByteReader.Malformed()
      }
      unit = read
    default: throw ByteReader.Malformed()
    }
    refused.budget = BudgetRefusal(
      scope: scope, budget: try reader.text(), window: try reader.text(),
      settled: Amount(unit, count: try reader.signed()),
      reserved: Amount(unit, count: try reader.signed()),
      cap: Amount(unit, count: try reader.signed()),
      estimate: Amount(unit, count: try reader.signed()),
      resetsAt: Timestamp(milliseconds: try reader.signed()), resetsAtText: try reader.text())
    return refused
  }
}
