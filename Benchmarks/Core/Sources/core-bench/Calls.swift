// Calls as the gateway makes them, for every benchmark of this folder.

import Metering

/// Policies, requests and outcomes of a made-up installation.
struct Calls {
  let apps: Int
  let budgets: Int
  let hasRates: Bool
  let isCalibrated: Bool
  private let requests: [AdmissionRequest]

  init(apps: Int, budgets: Int, hasRates: Bool = false, isCalibrated: Bool = false) {
    self.hasRates = hasRates
    self.isCalibrated = isCalibrated
    self.apps = apps
    self.budgets = budgets
    requests = (0..<apps).map { app in
      var request = AdmissionRequest(
        app: app, key: Int64(app + 1), upstream: "openai", model: "gpt-4o-mini",
        isStream: app % 2 == 1, bound: .atMost(Money(nanodollars: 412_000)))
      request.tokens = 900
      return request
    }
  }

  /// The moment of every call.
  static let moment = Timestamp(milliseconds: 1_795_000_000_000)

  var policies: [AppPolicy] {
    let windows = [
      WindowEdges(
        start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: .max), id: "2026-11-27",
        endText: "2026-11-28 00:00 UTC")
    ]
    return (0..<apps).map { app in
      var policy = AppPolicy(
        app: "app-\(app)",
        budgets: (0..<budgets).map { budget in
          Budget(id: "budget-\(budget)", cap: Money(nanodollars: .max / 2), windows: windows)
        })
      if hasRates {
        // So high that none refuses, though every call is of one moment.
        policy.rates = RateLimits(
          callsPerMinute: RateLimits.perMinuteMax, tokensPerMinute: RateLimits.perMinuteMax,
          concurrentCalls: 50)
      }
      if isCalibrated {
        policy.calibration = Calibration(
          quantile: 9_900, overshootMax: Money(nanodollars: .max / 4))
      }
      return policy
    }
  }

  var admission: Admission { Admission(policies: policies, ledger: Ledger()) }

  func request(_ number: Int) -> AdmissionRequest { requests[number % requests.count] }

  static let charge = Money(nanodollars: 61_800)

  static let outcome: CallOutcome = {
    var usage = Usage(source: .reported)
    usage.inputUncached = 284
    usage.cacheRead = 128
    usage.outputText = 57
    return CallOutcome(
      status: 200, ending: .completed, usage: usage, responseModel: "gpt-4o-mini-2024-07-18",
      durationMilliseconds: 812, firstByteMilliseconds: 344)
  }()

  /// Admits and settles one call and hands its two events out.
  func make(
    _ number: Int, with admission: inout Admission, _ take: (LedgerEvent) throws -> Void
  ) rethrows {
    switch admission.admit(request(number), at: Self.moment) {
    case .denied(let denial, _): fatalError("refused: \(denial.code)")
    case .tooLarge: fatalError("asked for a closer bound")
    case .admitted(let reservation, let event):
      try take(event)
      let settled = admission.settle(
        reservation, charge: Self.charge, outcome: Self.outcome, at: Self.moment)
      try take(settled.event)
    }
  }
}
