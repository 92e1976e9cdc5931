// The random scripts that both ledgers play.

import TestSupport
import Testing

@testable import Metering

/// One step of a random script. Numbers are picked from what is there, so that a step never depends
/// on the steps before it and any step can be dropped while shrinking.
enum Step: CustomStringConvertible {
  case admit(CallShape)
  /// Has begun already, whatever stands against it.
  case owe(CallShape)
  /// Begins to forget what is long over.
  case forget
  case settle(pick: Int, charge: Int64, tokens: Int64)
  case release(pick: Int)
  /// The work of an open call goes on at the provider.
  case follow(pick: Int)
  /// It has ended there, with a charge or without.
  case endFollowed(pick: Int, charge: Int64?)
  /// Charges two calls that ended before anew.
  case reprice(pick: Int, charge: Int64, number: Int64)
  case cap(app: Int, order: Int64)
  case isolate(app: Int, order: Int64)
  case restore(app: Int, order: Int64)
  case refuse(app: Int)
  case pass(milliseconds: Int64)
  case crash

  static func random(_ generator: inout SeededGenerator) -> Step {
    let app = generator.int(0...3)
    switch generator.int(0...26) {
    case 23: return .owe(shape(&generator))
    case 24: return .forget
    case 25:
      // Long enough for minutes to be over, and for slices.
      let day: Int64 = 86_400_000
      guard generator.chance(0.1) else { return .pass(milliseconds: 1_000) }
      return .pass(milliseconds: generator.pick([1, 3, 33, 36]) * day)
    case 26:
      return generator.chance(0.3)
        ? .isolate(app: app, order: generator.int(1...9))
        : .restore(app: app, order: generator.int(1...9))
    case 20, 21: return .follow(pick: generator.int(0...50))
    case 22:
      return .endFollowed(
        pick: generator.int(0...50), charge: generator.pick([nil, 0, 1, 10, 60, 120]))
    case 0...8: return .admit(shape(&generator))
    case 9...13:
      return .settle(
        pick: generator.int(0...50), charge: generator.pick([0, 1, 5, 10, 25, 60]),
        tokens: generator.pick([0, 1, 7, 30, 31]))
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
    default: return .pass(milliseconds: generator.int(0...30_000))
    }
  }

  private static func shape(_ generator: inout SeededGenerator) -> CallShape {
    if generator.chance(0.08) {
      return CallShape(
        app: generator.int(0...3), amount: 0, user: generator.pick(["u", "v", "w", "x"]),
        isDemo: generator.chance(0.5), isFree: true)
    }
    return CallShape(
      app: generator.pick([0, 0, 1, 1, 2, 3]),
      amount: generator.pick([0, 1, 5, 10, 25, 50, 100, 101]),
      tokens: generator.chance(0.05) ? nil : generator.pick([0, 1, 10, 30, 61]),
      key: generator.int(Int64(1)...2), user: generator.pick(["none", "u", "v"]),
      model: generator.pick(["m", "n", "n-2024-08-06"]), isTagged: generator.chance(0.4),
      isDemo: generator.chance(0.4), late: generator.chance(0.2) ? generator.int(0...20_000) : 0)
  }

  static func simpler(_ step: Step) -> [Step] {
    switch step {
    case .admit(let shape):
      [
        CallShape(app: shape.app, amount: shape.amount),
        CallShape(app: shape.app, amount: 1, tokens: shape.tokens),
        CallShape(app: shape.app, amount: min(shape.amount, 1), key: shape.key, user: shape.user),
      ].filter { "\($0)" != "\(shape)" && $0.amount <= shape.amount }.map { .admit($0) }
    case .settle(let pick, let charge, let tokens) where charge > 1:
      [
        .settle(pick: 0, charge: charge, tokens: tokens),
        .settle(pick: pick, charge: 1, tokens: tokens),
      ]
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
    case .admit(let shape): "admit \(shape)"
    case .owe(let shape): "owe \(shape)"
    case .forget: "begin to forget"
    case .settle(let pick, let charge, let tokens):
      "settle open call #\(pick) at \(charge) and \(tokens) tokens"
    case .release(let pick): "release open call #\(pick)"
    case .follow(let pick): "follow open call #\(pick)"
    case .endFollowed(let pick, let charge):
      "end followed call #\(pick) \(charge.map { "at \($0)" } ?? "without a charge")"
    case .reprice(let pick, let charge, let number):
      "reprice ended call #\(pick) at \(charge), number \(number)"
    case .cap(let app, let order): "cap app \(app) by order \(order)"
    case .isolate(let app, let order): "isolate app \(app) by order \(order)"
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

extension Admission {
  /// Forgets what is long over, to the end.
  mutating func forget(at now: Timestamp) -> LedgerEvent? {
    var forgetting = Forgetting(at: now)
    var event: LedgerEvent?
    while !forgetting.isOver { event = forget(pieceOf: &forgetting) ?? event }
    return event
  }
}

extension Isolation {
  static func by(_ actor: String, _ order: Int64) -> Isolation {
    Isolation(order: order, actor: actor, reason: "leaked")
  }
}
