// A second, naive ledger and the random scripts that both ledgers play.
//
// The model keeps every call in a list and adds up from the start each time it is asked. It shares
// no code with the module beyond the names of things.

import TestSupport
import Testing

@testable import Metering

/// One step of a random script. Numbers are picked from what is there, so that a step never depends
/// on the steps before it and any step can be dropped while shrinking.
enum Step: CustomStringConvertible {
  case admit(app: Int, amount: Int64)
  case settle(pick: Int, charge: Int64)
  case release(pick: Int)
  /// The work of an open call goes on at the provider.
  case follow(pick: Int)
  /// It has ended there, with a charge or without.
  case endFollowed(pick: Int, charge: Int64?)
  /// Charges two calls that ended before anew.
  case reprice(pick: Int, charge: Int64, number: Int64)
  case cap(app: Int, order: Int64)
  case restore(app: Int, order: Int64)
  case refuse(app: Int)
  case pass(milliseconds: Int64)
  case crash

  static func random(_ generator: inout SeededGenerator) -> Step {
    let app = generator.int(0...2)
    switch generator.int(0...22) {
    case 20, 21: return .follow(pick: generator.int(0...50))
    case 22:
      return .endFollowed(
        pick: generator.int(0...50), charge: generator.pick([nil, 0, 1, 10, 60, 120]))
    case 0...8: return .admit(app: app, amount: generator.pick([0, 1, 5, 10, 25, 50, 100, 101]))
    case 9...13:
      return .settle(pick: generator.int(0...50), charge: generator.pick([0, 1, 5, 10, 25, 60]))
    case 14: return .release(pick: generator.int(0...50))
    case 15: return .cap(app: app, order: generator.int(1...9))
    case 16: return .restore(app: app, order: generator.int(1...9))
    case 17: return .refuse(app: app)
    case 18:
      return generator.chance(0.2)
        ? .crash
        : .reprice(
          pick: generator.int(0...50), charge: generator.pick([0, 1, 30, 90]),
          number: generator.int(1...12))
    default: return .pass(milliseconds: generator.int(0...40))
    }
  }

  static func simpler(_ step: Step) -> [Step] {
    switch step {
    case .admit(let app, let amount) where amount > 1: [.admit(app: app, amount: 1)]
    case .settle(let pick, let charge) where charge > 1:
      [.settle(pick: 0, charge: charge), .settle(pick: pick, charge: 1)]
    case .reprice(let pick, let charge, let number) where charge > 1:
      [
        .reprice(pick: 0, charge: charge, number: number),
        .reprice(pick: pick, charge: 1, number: number),
      ]
    case .pass(let span) where span > 1: [.pass(milliseconds: span / 2)]
    default: []
    }
  }

  var description: String {
    switch self {
    case .admit(let app, let amount): "admit app \(app) for \(amount)"
    case .settle(let pick, let charge): "settle open call #\(pick) at \(charge)"
    case .release(let pick): "release open call #\(pick)"
    case .follow(let pick): "follow open call #\(pick)"
    case .endFollowed(let pick, let charge):
      "end followed call #\(pick) \(charge.map { "at \($0)" } ?? "without a charge")"
    case .reprice(let pick, let charge, let number):
      "reprice ended call #\(pick) at \(charge), number \(number)"
    case .cap(let app, let order): "cap app \(app) by order \(order)"
    case .restore(let app, let order): "restore app \(app) by order \(order)"
    case .refuse(let app): "refuse app \(app)"
    case .pass(let span): "\(span) ms pass"
    case .crash: "crash and restart"
    }
  }
}

/// A reservation in a collection. Closed on purpose when a failing script drops it.
final class Held {
  var reservation: Reservation?
  init(_ reservation: consuming Reservation) { self.reservation = consume reservation }

  deinit {
    if let reservation = reservation.take() { _ = reservation.close() }
  }
}

/// The naive ledger.
struct NaiveLedger {
  struct Call {
    var app: Int
    var number: UInt64
    var amount: Int64
    var day: Int64
    var month: Int64
    var charge: Int64?
  }

  enum Answer: Equatable {
    case admitted
    case capped
    case outside(String)
    case exhausted(budget: String, settled: Int64, reserved: Int64)
  }

  /// Caps by app: day and month; app 2 has none.
  static let caps: [[(budget: String, cap: Int64)]] = [
    [("day", 100), ("month", 230)], [("month", 101)], [],
  ]
  static let marks: [Int64] = [50, 80, 100]
  /// Days of 25 ms, months of 100 ms, 1,000 ms in all.
  static let end: Int64 = 1_000

  var calls: [Call] = []
  var isCapped = [false, false, false]
  var lastOrder: Int64 = 0
  var lastRepricing: Int64 = 0

  func total(_ app: Int, _ budget: String, _ window: Int64) -> (settled: Int64, reserved: Int64) {
    var settled: Int64 = 0
    var reserved: Int64 = 0
    for call in calls where call.app == app {
      guard (budget == "day" ? call.day : call.month) == window else { continue }
      if let charge = call.charge { settled += charge } else { reserved += call.amount }
    }
    return (settled, reserved)
  }

  /// The balances of every window that a call was made in.
  func sums() -> [AccountID: Ledger.Account] {
    var sums: [AccountID: Ledger.Account] = [:]
    for call in calls {
      for (budget, _) in Self.caps[call.app] {
        let window = budget == "day" ? call.day : call.month
        let id = AccountID(app: "app\(call.app)", budget: budget, window: "\(window)")
        if let charge = call.charge {
          sums[id, default: .init()].settled.nanodollars += charge
        } else {
          sums[id, default: .init()].reserved.nanodollars += call.amount
        }
      }
    }
    return sums
  }

  func accounts(of call: Call) -> [AccountID] {
    Self.caps[call.app].map { budget, _ in
      AccountID(
        app: "app\(call.app)", budget: budget,
        window: "\(budget == "day" ? call.day : call.month)")
    }
  }

  func cap(of id: AccountID) -> Int64 {
    let app = Int(id.app.dropFirst(3)) ?? 0
    return Self.caps[app].first { $0.budget == id.budget }?.cap ?? 0
  }

  func answer(app: Int, amount: Int64, now: Int64) -> Answer {
    if isCapped[app] { return .capped }
    for (budget, cap) in Self.caps[app] {
      if now >= Self.end { return .outside(budget) }
      let (settled, reserved) = total(app, budget, now / (budget == "day" ? 25 : 100))
      if amount > 0, settled + reserved + amount > cap {
        return .exhausted(budget: budget, settled: settled, reserved: reserved)
      }
    }
    return .admitted
  }

  /// The policies that say the same to the module.
  static func policies() -> [AppPolicy] {
    caps.enumerated().map { app, caps in
      AppPolicy(
        app: "app\(app)",
        budgets: caps.map { budget, cap in
          let span: Int64 = budget == "day" ? 25 : 100
          let windows = (0..<(end / span)).map { index in
            WindowEdges(
              start: Timestamp(milliseconds: index * span),
              end: Timestamp(milliseconds: (index + 1) * span), id: "\(index)",
              endText: "at \((index + 1) * span)")
          }
          return Budget(id: budget, cap: Money(nanodollars: cap), windows: windows)
        }, alertPercents: marks.map(Int.init))
    }
  }
}
