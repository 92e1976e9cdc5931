// Admission against the naive ledger over thousands of random scripts.

import TestSupport
import Testing

@testable import Metering

@Suite struct AdmissionModelTests {
  @Test func admissionIsTheNaiveLedger() throws {
    try checkProperty(
      "admission", runs: 1_500, countMax: 80, generate: Step.random, simplify: Step.simpler
    ) { steps in
      var duel = Duel()
      for step in steps { try duel.play(step) }
      try duel.checkFolds()
    }
  }

  /// The scripts must reach what they are meant to test.
  @Test func scriptsReachEveryAnswer() throws {
    var codes: [String: Int] = [:]
    for seed in UInt64(1)...300 {
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
        case .isolated: codes["isolated", default: 0] += 1
        case .repriced: codes["repriced", default: 0] += 1
        case .followed: codes["followed", default: 0] += 1
        case .forgotten: codes["forgotten", default: 0] += 1
        case .refused(let refused):
          codes[refused.code, default: 0] += 1
          if let budget = refused.budget {
            codes["\(budget.cap.unit)", default: 0] += 1
            codes[budget.scope.kind.rawValue, default: 0] += 1
          }
        }
      }
      codes["crossings", default: 0] += duel.crossings.count
    }
    for code in [
      "reserved", "settled", "released", "expired", "capped", "app_capped", "isolated",
      "app_isolated", "budget_exhausted", "budget_throttled", "key_revoked", "crossings",
      "repriced", "followed",
      "purse_closed", "tokens_unbounded", "money", "tokens", "calls", "organisation", "team", "app",
      "environment", "key", "model", "user", "tag", "forgotten",
    ] {
      #expect(codes[code, default: 0] >= 20, "\(code): \(codes)")
    }
  }
}
