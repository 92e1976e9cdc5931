// Admission against the naive ledger over thousands of random scripts.

import TestSupport
import Testing

@testable import Metering

/// Plays a script on both and compares them after every step.
private struct Duel {
  var admission = Admission(policies: NaiveLedger.policies(), ledger: Ledger())
  var naive = NaiveLedger()
  var held: [(number: UInt64, held: Held)] = []
  var followed: [UInt64] = []
  var events: [LedgerEvent] = []
  var crossings: Set<BudgetCrossingMark> = []
  var now: Int64 = 0

  struct BudgetCrossingMark: Hashable {
    var account: AccountID
    var percent: Int
  }

  private static let outcome = LedgerTests.outcome
  private static let job = LedgerTests.job

  private var moment: Timestamp { Timestamp(milliseconds: now) }

  private func request(_ app: Int, _ amount: Int64) -> AdmissionRequest {
    AdmissionRequest(
      app: app, key: 1, upstream: "u", model: "m", isStream: false,
      bound: .atMost(Money(nanodollars: amount)))
  }

  mutating func play(_ step: Step) throws {
    switch step {
    case .admit(let app, let amount): try admit(app, amount)
    case .settle(let pick, let charge): try settle(pick, charge)
    case .release(let pick):
      guard let (number, box) = take(pick), let reservation = box.reservation.take() else { return }
      try note(admission.release(reservation, outcome: Self.outcome, at: moment))
      end(number, charge: 0)
    case .follow(let pick):
      guard let (number, box) = take(pick), let reservation = box.reservation.take() else { return }
      try note(admission.follow(reservation, job: Self.job, at: moment))
      followed.append(number)
    case .endFollowed(let pick, let charge): try endFollowed(pick, charge)
    case .reprice(let pick, let charge, let number): try reprice(pick, charge, number)
    case .cap(let app, let number): try order(app, "stopped", number)
    case .restore(let app, let number): try order(app, nil, number)
    case .refuse(let app):
      try note(admission.refuse(.keyRevoked, request(app, 0), at: moment))
    case .pass(let span): now += span
    case .crash: try crash()
    }
    try compare()
  }

  private mutating func admit(_ app: Int, _ amount: Int64) throws {
    let expected = naive.answer(app: app, amount: amount, now: now)
    let answer: NaiveLedger.Answer
    switch admission.admit(request(app, amount), at: moment) {
    case .admitted(let reservation, let event):
      let number = reservation.call.number
      held.append((number, Held(reservation)))
      try note(event)
      answer = .admitted
      naive.calls.append(
        .init(app: app, number: number, amount: amount, day: now / 25, month: now / 100))
      for (budget, cap) in NaiveLedger.caps[app] {
        let sum = naive.total(app, budget, now / (budget == "day" ? 25 : 100))
        try require(
          amount == 0 || sum.settled + sum.reserved <= cap, "over the cap of \(budget): \(sum)")
      }
    case .denied(let denial, let event):
      try note(event)
      switch denial {
      case .appCapped: answer = .capped
      case .windowUnknown(let budget): answer = .outside(budget)
      case .budgetExhausted(let refusal):
        answer = .exhausted(
          budget: refusal.budget, settled: refusal.settled.nanodollars,
          reserved: refusal.reserved.nanodollars)
        try require(
          refusal.settled.nanodollars + refusal.reserved.nanodollars
            + refusal.estimate.nanodollars > refusal.cap.nanodollars,
          "a refusal whose figures fit")
      default: throw Falsified("denied with \(denial.code)")
      }
    case .tooLarge: throw Falsified("asked for a closer bound")
    }
    try require(answer == expected, "answered \(answer), the model says \(expected)")
  }

  private mutating func settle(_ pick: Int, _ charge: Int64) throws {
    guard let (number, box) = take(pick), let reservation = box.reservation.take(),
      let call = naive.calls.first(where: { $0.number == number })
    else { return }
    let before = settledSums(of: call)
    let (event, found) = admission.settle(
      reservation, charge: Money(nanodollars: charge), outcome: Self.outcome, at: moment)
    try note(event)
    end(number, charge: charge)
    try checkCrossings(found, of: call, from: before)
  }

  private mutating func endFollowed(_ pick: Int, _ charge: Int64?) throws {
    guard !followed.isEmpty else { return }
    let number = followed.remove(at: pick % followed.count)
    guard let call = naive.calls.first(where: { $0.number == number }) else { return }
    let before = settledSums(of: call)
    var found: [BudgetCrossing] = []
    for isFirst in [true, false] {
      var event: LedgerEvent?
      if let charge {
        let answer = admission.settle(
          followed: CallID(number), charge: Money(nanodollars: charge), outcome: Self.outcome,
          at: moment)
        event = answer?.event
        found += answer?.crossings ?? []
      } else {
        event = admission.release(followed: CallID(number), outcome: Self.outcome, at: moment)
      }
      try require((event != nil) == isFirst, "a followed call ended twice or never")
      if let event { try note(event) }
    }
    end(number, charge: charge ?? 0)
    try checkCrossings(found, of: call, from: before)
  }

  private func settledSums(of call: NaiveLedger.Call) -> [Int64] {
    NaiveLedger.caps[call.app].map { budget, _ in
      naive.total(call.app, budget, budget == "day" ? call.day : call.month).settled
    }
  }

  private mutating func checkCrossings(
    _ found: [BudgetCrossing], of call: NaiveLedger.Call, from before: [Int64]
  ) throws {
    var expected: Set<BudgetCrossingMark> = []
    for (index, (budget, cap)) in NaiveLedger.caps[call.app].enumerated() {
      let window = budget == "day" ? call.day : call.month
      let after = naive.total(call.app, budget, window).settled
      for mark in NaiveLedger.marks
      where before[index] * 100 < cap * mark && after * 100 >= cap * mark {
        expected.insert(
          .init(
            account: AccountID(app: "app\(call.app)", budget: budget, window: "\(window)"),
            percent: Int(mark)))
      }
    }
    let marks = Set(found.map { BudgetCrossingMark(account: $0.account, percent: $0.percent) })
    try require(marks.count == found.count, "a mark twice in one settlement")
    try require(marks == expected, "crossed \(marks), the model says \(expected)")
    try require(marks.isDisjoint(with: crossings), "a mark crossed twice")
    crossings.formUnion(marks)
  }

  private mutating func reprice(_ pick: Int, _ charge: Int64, _ number: Int64) throws {
    let ended = naive.calls.indices.filter { naive.calls[$0].charge != nil }
    guard !ended.isEmpty else { return }
    let picked = Set([ended[pick % ended.count], ended[(pick + 1) % ended.count]]).sorted()
    var differences: [AccountID: Int64] = [:]
    for index in picked {
      let call = naive.calls[index]
      for id in naive.accounts(of: call) {
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
    let after = naive.sums()
    var expected: Set<BudgetCrossingMark> = []
    for id in differences.keys {
      let cap = naive.cap(of: id)
      let (low, high) = (before[id]?.settled.nanodollars ?? 0, after[id]?.settled.nanodollars ?? 0)
      for mark in NaiveLedger.marks {
        let key = BudgetCrossingMark(account: id, percent: Int(mark))
        if low * 100 < cap * mark, high * 100 >= cap * mark { expected.insert(key) }
        // What became cheaper may pass its mark again.
        if high * 100 < cap * mark { crossings.remove(key) }
      }
    }
    let marks = Set(found.map { BudgetCrossingMark(account: $0.account, percent: $0.percent) })
    try require(marks == expected, "repricing crossed \(marks), the model says \(expected)")
    crossings.formUnion(marks)
  }

  private mutating func order(_ app: Int, _ reason: String?, _ order: Int64) throws {
    let event = admission.cap(app: "app\(app)", reason: reason, order: order, at: moment)
    let isNew = order > naive.lastOrder
    try require((event != nil) == isNew, "order \(order) applied twice or never")
    guard let event else { return }
    try note(event)
    naive.lastOrder = order
    naive.isCapped[app] = reason != nil
  }

  /// The process dies: reservations in hand are lost, the ledger is folded anew from the journal.
  private mutating func crash() throws {
    held = []
    var ledger = Ledger()
    for event in events { ledger.apply(event) }
    admission = Admission(policies: NaiveLedger.policies(), ledger: ledger)
    for event in admission.expireOpen(at: moment) { try note(event) }
    for index in naive.calls.indices
    where naive.calls[index].charge == nil && !followed.contains(naive.calls[index].number) {
      naive.calls[index].charge = naive.calls[index].amount
    }
    // What expiry crossed is raised at start, so it must not be crossed again by a settlement.
    for crossing in admission.standingCrossings(at: moment) {
      crossings.insert(.init(account: crossing.account, percent: crossing.percent))
    }
  }

  private mutating func take(_ pick: Int) -> (UInt64, Held)? {
    guard !held.isEmpty else { return nil }
    let (number, box) = held.remove(at: pick % held.count)
    return (number, box)
  }

  private mutating func end(_ number: UInt64, charge: Int64) {
    for index in naive.calls.indices where naive.calls[index].number == number {
      naive.calls[index].charge = charge
    }
  }

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
      try require(isCapped == naive.isCapped[app], "app\(app) is stopped: \(isCapped)")
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

@Suite struct AdmissionModelTests {
  @Test func admissionIsTheNaiveLedger() throws {
    try checkProperty(
      "admission", runs: 2_000, countMax: 80, generate: Step.random, simplify: Step.simpler
    ) { steps in
      var duel = Duel()
      for step in steps { try duel.play(step) }
      try duel.checkFolds()
    }
  }

  /// The scripts must reach what they are meant to test.
  @Test func scriptsReachEveryAnswer() throws {
    var codes: [String: Int] = [:]
    for seed in UInt64(1)...200 {
      var generator = SeededGenerator(seed: seed)
      var duel = Duel()
      for _ in 0..<80 { try duel.play(Step.random(&generator)) }
      for event in duel.events {
        switch event.kind {
        case .reserved: codes["reserved", default: 0] += 1
        case .settled: codes["settled", default: 0] += 1
        case .released: codes["released", default: 0] += 1
        case .expired: codes["expired", default: 0] += 1
        case .capped: codes["capped", default: 0] += 1
        case .repriced: codes["repriced", default: 0] += 1
        case .followed: codes["followed", default: 0] += 1
        case .refused(let refused): codes[refused.code, default: 0] += 1
        }
      }
      codes["crossings", default: 0] += duel.crossings.count
    }
    for code in [
      "reserved", "settled", "released", "expired", "capped", "app_capped", "budget_exhausted",
      "key_revoked", "crossings", "repriced", "followed",
    ] {
      #expect(codes[code, default: 0] >= 20, "\(code): \(codes)")
    }
  }
}
