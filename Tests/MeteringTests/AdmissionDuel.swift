// Plays a random script on admission and on the naive ledger, and compares them after every step.

import TestSupport
import Testing

@testable import Metering

/// Plays a script on both and compares them after every step.
struct Duel {
  var admission = Self.admission(Ledger())
  /// A forgetting that goes on beside the steps, a few places each.
  var forgetting: Forgetting?
  var naive = NaiveLedger()
  var held: [(number: UInt64, held: Held)] = []
  var followed: [UInt64] = []
  var events: [LedgerEvent] = []
  var crossings: Set<BudgetCrossingMark> = []
  var now: Int64 = 0

  /// When the process began.
  var startedAt: Int64 = 0

  struct BudgetCrossingMark: Hashable {
    var account: AccountID
    var percent: Int
    var unit: BudgetUnit

    init(account: AccountID, percent: Int, unit: BudgetUnit) {
      (self.account, self.percent, self.unit) = (account, percent, unit)
    }

    init(_ crossing: BudgetCrossing) {
      self.init(
        account: crossing.account, percent: crossing.percent, unit: crossing.cap.unit)
    }
  }

  private static func admission(_ ledger: Ledger) -> Admission {
    var admission = Admission(policies: NaiveLedger.policies(), ledger: ledger)
    admission.reclaimEach = 3
    return admission
  }

  private static let outcome = LedgerTests.outcome
  private static let job = LedgerTests.job

  private var moment: Timestamp { Timestamp(milliseconds: now) }

  private func request(_ shape: CallShape) -> AdmissionRequest {
    var request = AdmissionRequest(
      app: shape.app, key: shape.key, upstream: "u", model: shape.model, isStream: false,
      bound: .atMost(Money(nanodollars: shape.amount)))
    request.tokens = shape.tokens
    if shape.isFree { request.calls = 0 }
    request.user = shape.user
    if shape.isTagged { request.tags = TagSet(place: 0) }
    if shape.isDemo { request.environment = "demo" }
    return request
  }

  private static func outcome(tokens: Int64) -> CallOutcome {
    var outcome = LedgerTests.outcome
    outcome.usage.inputUncached = tokens / 2
    outcome.usage.outputText = tokens - tokens / 2
    return outcome
  }

  mutating func play(_ step: Step) throws {
    try forgetOn()
    switch step {
    case .admit(let shape): try admit(shape)
    case .owe(let shape): try owe(shape)
    case .forget:
      if forgetting == nil { forgetting = Forgetting(at: moment, piece: 3) }
    case .settle(let pick, let charge, let tokens): try settle(pick, charge, tokens)
    case .release(let pick):
      guard let (number, box) = take(pick), let reservation = box.reservation.take() else { return }
      try note(admission.release(reservation, outcome: Self.outcome, at: moment))
      release(number)
    case .follow(let pick):
      guard let (number, box) = take(pick), let reservation = box.reservation.take() else { return }
      try note(admission.follow(reservation, job: Self.job, at: moment))
      followed.append(number)
    case .endFollowed(let pick, let charge): try endFollowed(pick, charge)
    case .reprice(let pick, let charge, let number): try reprice(pick, charge, number)
    case .cap(let app, let number): try order(app, "stopped", number)
    case .isolate(let app, let number): try order(app, nil, number, isolates: true)
    case .restore(let app, let number): try order(app, nil, number)
    case .refuse(let app):
      try note(
        admission.refuse(.keyRevoked, request(CallShape(app: app, amount: 0)), at: moment))
    case .pass(let span): now += span
    case .crash: try crash()
    }
    try compare()
  }

  /// One piece of a forgetting that is under way.
  private mutating func forgetOn() throws {
    guard var forgetting else { return }
    if let event = admission.forget(pieceOf: &forgetting) {
      try note(event)
      naive.forget(at: event.at.milliseconds)
    }
    self.forgetting = forgetting.isOver ? nil : forgetting
  }

  /// Admitted whatever stands against it.
  private mutating func owe(_ shape: CallShape) throws {
    naive.latest = now
    var request = request(shape)
    request.hasBegun = true
    guard case .admitted(let reservation, let event) = admission.admit(request, at: moment)
    else { throw Falsified("what has begun was refused") }
    let number = reservation.call.number
    held.append((number, Held(reservation)))
    try note(event)
    naive.calls.append(.init(shape: shape, number: number, at: now, rollingAt: now))
  }

  private mutating func admit(_ shape: CallShape) throws {
    // No head is older than the process.
    let at = max(now - shape.late, startedAt)
    if !naive.isCapped[shape.app], !naive.isIsolated[shape.app] { naive.latest = now }
    let expected = naive.answer(shape, at: at)
    let answer: NaiveLedger.Answer
    switch admission.admit(request(shape), at: Timestamp(milliseconds: at), clock: moment) {
    case .admitted(let reservation, let event):
      let number = reservation.call.number
      held.append((number, Held(reservation)))
      try note(event)
      answer = .admitted
      naive.calls.append(
        .init(shape: shape, number: number, at: at, rollingAt: naive.latest))
      try checkCaps(shape, at: at)
    case .denied(let denial, let event):
      try note(event)
      if let refusal = denial.budget {
        let atCap = admission.budget(
          of: AccountID(scope: refusal.scope, budget: refusal.budget, window: ""))?.budget.atCap
        try require(
          denial.code != "budget_throttled" || atCap == .throttle, "a wait that nobody wanted")
        answer = .exhausted(
          scope: refusal.scope.text, budget: refusal.budget, settled: refusal.settled,
          reserved: refusal.reserved)
        try require(
          refusal.settled.count + refusal.reserved.count + refusal.estimate.count
            > refusal.cap.count, "a refusal whose figures fit")
        let units = [refusal.settled, refusal.reserved, refusal.estimate].map(\.unit)
        try require(units.allSatisfy { $0 == refusal.cap.unit }, "a refusal of two units")
      } else {
        answer = .denied(denial.code)
      }
    case .tooLarge: throw Falsified("asked for a closer bound")
    }
    try require(answer == expected, "answered \(answer), the model says \(expected)")
  }

  /// No sum that the call was added to is over its cap; a rolling one over its exact length.
  private func checkCaps(_ shape: CallShape, at: Int64) throws {
    for rule in NaiveLedger.rules[shape.app] where rule.atCap != .alert {
      guard let scope = NaiveLedger.scope(rule, shape) else { continue }
      var sum = naive.total(rule, scope, at)
      if case .rolling(let minutes) = rule.window {
        sum = naive.exactTotal(scope, rule, minutes: minutes)
      }
      let asked: [(BudgetUnit, Int64)] = [
        (.money, shape.amount), (.tokens, shape.tokens ?? 0), (.calls, shape.calls),
      ]
      for (unit, amount) in asked where amount > 0 {
        guard let cap = rule.caps[unit] else { continue }
        try require(
          sum.settled[unit] + sum.reserved[unit] <= cap,
          "over the cap of \(scope) \(rule.id): \(sum)")
      }
    }
  }

  private mutating func settle(_ pick: Int, _ charge: Int64, _ tokens: Int64) throws {
    guard let (number, box) = take(pick), let reservation = box.reservation.take(),
      let call = naive.calls.first(where: { $0.number == number })
    else { return }
    let before = naive.sums()
    let (event, found) = admission.settle(
      reservation, charge: Money(nanodollars: charge), outcome: Self.outcome(tokens: tokens),
      at: moment)
    try note(event)
    end(number, charge: charge, tokens: tokens)
    try check(found, of: call.accounts, from: before)
  }

  private mutating func endFollowed(_ pick: Int, _ charge: Int64?) throws {
    guard !followed.isEmpty else { return }
    let number = followed.remove(at: pick % followed.count)
    guard let call = naive.calls.first(where: { $0.number == number }) else { return }
    let before = naive.sums()
    var found: [BudgetCrossing] = []
    for isFirst in [true, false] {
      var event: LedgerEvent?
      if let charge {
        let answer = admission.settle(
          followed: CallID(number), charge: Money(nanodollars: charge),
          outcome: Self.outcome(tokens: charge / 2), at: moment)
        event = answer?.event
        found += answer?.crossings ?? []
      } else {
        event = admission.release(followed: CallID(number), outcome: Self.outcome, at: moment)
      }
      try require((event != nil) == isFirst, "a followed call ended twice or never")
      if let event { try note(event) }
    }
    if let charge { end(number, charge: charge, tokens: charge / 2) } else { release(number) }
    try check(found, of: call.accounts, from: before)
  }

  /// The marks found are those that the model's sums have passed. Of rolling windows, whose sum is
  /// that of the last admission, only that they stand passed; users are not told of.
  private mutating func check(
    _ found: [BudgetCrossing], of accounts: [AccountID], from before: [AccountID: Ledger.Account]
  ) throws {
    let after = naive.sums()
    var expected: Set<BudgetCrossingMark> = []
    for id in accounts where id.scope.kind != .user {
      guard let rule = NaiveLedger.rule(of: id), isTold(rule, id) else { continue }
      for unit in BudgetUnit.allCases {
        guard let cap = rule.caps[unit] else { continue }
        let (low, high) = (before[id]?.settled[unit] ?? 0, after[id]?.settled[unit] ?? 0)
        for mark in NaiveLedger.marks {
          let key = BudgetCrossingMark(account: id, percent: Int(mark), unit: unit)
          if low * 100 < cap * mark, high * 100 >= cap * mark { expected.insert(key) }
          // What became cheaper may pass its mark again.
          if high * 100 < cap * mark { crossings.remove(key) }
        }
      }
    }
    for crossing in found {
      try require(
        Int128(crossing.settled.count) * 100 >= Int128(crossing.cap.count)
          * Int128(crossing.percent),
        "told of \(crossing.percent) % of \(crossing.cap) at \(crossing.settled)")
    }
    let plain = found.filter { !$0.account.budget.hasPrefix("last ") }
    let marks = Set(plain.map(BudgetCrossingMark.init))
    try require(marks.count == plain.count, "a mark twice in one settlement")
    try require(marks == expected, "crossed \(marks), the model says \(expected)")
    try require(marks.isDisjoint(with: crossings), "a mark crossed twice")
    crossings.formUnion(marks)
  }

  /// Whether marks of this window are told of now.
  private func isTold(_ rule: NaiveLedger.Rule, _ id: AccountID) -> Bool {
    switch rule.window {
    case .calendar: true
    case .minute, .purse: NaiveLedger.window(rule, now, now) == id.window
    case .rolling: false
    }
  }

  private mutating func reprice(_ pick: Int, _ charge: Int64, _ number: Int64) throws {
    let ended = naive.calls.indices.filter { (naive.calls[$0].charge ?? -1) >= 0 }
    guard !ended.isEmpty else { return }
    let picked = Set([ended[pick % ended.count], ended[(pick + 1) % ended.count]]).sorted()
    var differences: [AccountID: Int64] = [:]
    for index in picked {
      let call = naive.calls[index]
      for id in call.accounts {
        differences[id, default: 0] += charge - (call.charge ?? 0)
      }
    }
    let repricing = Repricing(
      number: number,
      charges: picked.map {
        .init(call: CallID(naive.calls[$0].number), charge: Money(nanodollars: charge))
      },
      differences: differences.map { .init(account: $0.key, amount: Money(nanodollars: $0.value)) })
    let before = naive.sums()
    let answer = admission.reprice(repricing, at: moment)
    try require(
      (answer != nil) == (number > naive.lastRepricing), "repricing \(number) twice or never")
    guard let (event, found) = answer else { return }
    try note(event)
    naive.lastRepricing = number
    for index in picked { naive.calls[index].charge = charge }
    try check(found, of: Array(differences.keys), from: before)
  }

  private mutating func order(
    _ app: Int, _ reason: String?, _ order: Int64, isolates: Bool = false
  ) throws {
    let event =
      isolates
      ? admission.isolate(app: "app\(app)", .by("mara", order), at: moment)
      : admission.cap(app: "app\(app)", reason: reason, order: order, at: moment)
    try require((event != nil) == (order > naive.lastOrder), "order \(order) twice or never")
    guard let event else { return }
    try note(event)
    naive.lastOrder = order
    if !isolates { naive.isCapped[app] = reason != nil }
    if isolates || reason == nil { naive.isIsolated[app] = isolates }
  }

  /// The process dies: reservations in hand are lost, the ledger is folded anew from the journal.
  private mutating func crash() throws {
    held = []
    var ledger = Ledger()
    for event in events { ledger.apply(event) }
    admission = Self.admission(ledger)
    forgetting = nil
    for event in admission.expireOpen(at: moment) { try note(event) }
    for index in naive.calls.indices
    where naive.calls[index].charge == nil && !followed.contains(naive.calls[index].number) {
      naive.calls[index].charge = naive.calls[index].shape.amount
      naive.calls[index].tokensUsed = naive.calls[index].shape.tokens ?? 0
    }
    startedAt = now
    naive.latest = now
    // What expiry crossed is raised at start, so it must not be crossed again by a settlement.
    for crossing in admission.standingCrossings(at: moment) {
      crossings.insert(BudgetCrossingMark(crossing))
    }
  }

  private mutating func take(_ pick: Int) -> (UInt64, Held)? {
    guard !held.isEmpty else { return nil }
    let (number, box) = held.remove(at: pick % held.count)
    return (number, box)
  }

  private mutating func end(_ number: UInt64, charge: Int64, tokens: Int64) {
    for index in naive.calls.indices where naive.calls[index].number == number {
      naive.calls[index].charge = charge
      naive.calls[index].tokensUsed = tokens
    }
  }

  private mutating func release(_ number: UInt64) { end(number, charge: -1, tokens: 0) }

  private mutating func note(_ event: LedgerEvent) throws {
    try require(
      event.sequence == UInt64(events.count) + 1, "event \(event.sequence) after \(events.count)")
    events.append(event)
  }

  /// Every balance, the open calls and the stopped apps agree.
  private func compare() throws {
    let sums = naive.sums()
    for id in Set(sums.keys).union(admission.ledger.accounts.keys) {
      let account = admission.ledger.account(id)
      let sum = sums[id] ?? Ledger.Account()
      try require(account == sum, "\(id) is \(account), the model says \(sum)")
    }
    for app in naive.isCapped.indices {
      let isCapped = admission.ledger.capped["app\(app)"] != nil
      let isIsolated = admission.ledger.isolated["app\(app)"] != nil
      let holds = (naive.isCapped[app], naive.isIsolated[app])
      try require(holds == (isCapped, isIsolated), "app\(app) is stopped otherwise: \(holds)")
    }
    let open = Set(naive.calls.filter { $0.charge == nil }.map(\.number))
    try require(Set(admission.ledger.open.keys.map(\.number)) == open, "open calls differ")
    try require(
      held.count + followed.count == open.count, "a reservation ended twice or never")
    try require(
      Set(admission.ledger.followed.keys.map(\.number)) == Set(followed), "followed calls differ")
  }

  /// The journal alone gives the same ledger: whole, doubled, and from any checkpoint on.
  func checkFolds() throws {
    var folded = Ledger()
    for event in events { folded.apply(event) }
    try require(folded == admission.ledger, "fold(events) differs from the ledger")
    var doubled = Ledger()
    for event in events {
      doubled.apply(event)
      doubled.apply(event)
    }
    for event in events { doubled.apply(event) }
    try require(doubled == folded, "replaying events changed the ledger")
    for split in stride(from: 0, through: events.count, by: max(1, events.count / 5)) {
      var checkpoint = Ledger()
      for event in events[..<split] { checkpoint.apply(event) }
      // A tail may overlap what the checkpoint holds.
      for event in events[max(0, split - 3)...] { checkpoint.apply(event) }
      try require(checkpoint == folded, "checkpoint at \(split) and tail differ from the whole")
    }
  }
}
