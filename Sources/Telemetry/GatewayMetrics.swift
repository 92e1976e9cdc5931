// What the gateway counts, as cells that event loops add to.
//
// Apps and upstreams are known at start, so each pair has its cells from the beginning: recording
// is a few relaxed atomic additions, without a lock, a string or an allocation, and the number of
// series is bounded by the policy, never by what callers or upstreams send.

import Metering

/// How an upstream is named in metrics.
public struct UpstreamLabel: Hashable, Sendable {
  /// The upstream's name in the policy.
  public var name: String
  /// The vendor, as OpenTelemetry's `gen_ai.provider.name` spells it: `openai`, `anthropic`, ….
  public var provider: String

  public init(name: String, provider: String) {
    self.name = name
    self.provider = provider
  }
}

/// The gateway's counters. Indices are positions in the lists given to `init`.
public final class GatewayMetrics: Sendable {
  public let apps: [String]
  public let upstreams: [UpstreamLabel]

  let pairs: AtomicCells
  let refusals: AtomicCells
  let openByApp: AtomicCells
  let process: AtomicCells

  /// - Parameters:
  ///   - apps: names of apps, in the order of the admission's policies.
  ///   - upstreams: in the order that the gateway numbers them.
  public init(apps: [String], upstreams: [UpstreamLabel]) {
    self.apps = apps
    self.upstreams = upstreams
    pairs = AtomicCells(count: apps.count * upstreams.count * PairCells.count)
    refusals = AtomicCells(count: (apps.count + 1) * Denial.metricCodes.count)
    openByApp = AtomicCells(count: apps.count)
    process = AtomicCells(count: ProcessCells.count)
  }

  /// Where the cells of an app at an upstream begin.
  func base(app: Int, upstream: Int) -> Int {
    (app * upstreams.count + upstream) * PairCells.count
  }

  /// Counts a call that ended, however it ended.
  ///
  /// - Parameters:
  ///   - charge: what was charged; zero where the reservation was released.
  ///   - reserved: what was held for it; zero where nothing was.
  public func recordCall(
    app: Int, upstream: Int, outcome: borrowing CallOutcome, charge: Money, reserved: Money
  ) {
    let base = base(app: app, upstream: upstream)
    let endingIndex = Int(outcome.ending.rawValue)
    let statusClass = min(Int(outcome.status) / 100, PairCells.statusClasses.count - 1)
    pairs.add(1, at: base + statusClass * PairCells.endingCount + endingIndex)
    pairs.add(charge.nanodollars, at: base + PairCells.cost)
    pairs.add(1, at: base + PairCells.usageSources + Int(outcome.usage.source.rawValue))
    if outcome.usage.source != .unknown {
      HistogramShape.tokens.record(
        outcome.usage.inputTotal, in: pairs, at: base + PairCells.inputTokens)
      HistogramShape.tokens.record(
        outcome.usage.outputTotal, in: pairs, at: base + PairCells.outputTokens)
    }
    HistogramShape.duration.record(
      max(outcome.durationMilliseconds, 0), in: pairs, at: base + PairCells.duration)
    if outcome.firstByteMilliseconds >= 0, outcome.ending == .completed, statusClass == 2 {
      HistogramShape.firstToken.record(
        outcome.firstByteMilliseconds, in: pairs, at: base + PairCells.firstToken)
    }
    recordEstimate(base: base, charge: charge, reserved: reserved)
  }

  /// Counts a refusal; nil: no app is known.
  public func recordRefusal(app: Int?, denial: borrowing Denial) {
    let row = app ?? apps.count
    refusals.add(1, at: row * Denial.metricCodes.count + denial.metricIndex)
  }

  /// A call of an app was admitted and is under way.
  public func callOpened(app: Int) { openByApp.add(1, at: app) }

  /// A call counted by `callOpened` ended.
  public func callClosed(app: Int) { openByApp.add(-1, at: app) }

  /// A connection from an app was accepted.
  public func connectionOpened() {
    process.add(1, at: ProcessCells.connectionsOpen)
    process.add(1, at: ProcessCells.connectionsAccepted)
  }

  /// A connection counted by `connectionOpened` is gone.
  public func connectionClosed() { process.add(-1, at: ProcessCells.connectionsOpen) }

  /// Counts something that should be rare.
  public func record(_ incident: Incident, count: Int = 1) {
    process.add(Int64(count), at: ProcessCells.incidents + incident.rawValue)
  }

  /// How often an incident was recorded since the process began.
  public func count(of incident: Incident) -> Int {
    Int(process.value(at: ProcessCells.incidents + incident.rawValue))
  }

  /// Calls under way, over all apps.
  public var openCalls: Int {
    Int((0..<openByApp.count).reduce(0) { $0 + openByApp.value(at: $1) })
  }

  private func recordEstimate(base: Int, charge: Money, reserved: Money) {
    guard charge > .zero else { return }
    if charge > reserved, reserved > .zero {
      pairs.add(charge.nanodollars - reserved.nanodollars, at: base + PairCells.debt)
    }
    guard reserved > .zero else { return }
    let ratio = Int128(charge.nanodollars) * 1000 / Int128(reserved.nanodollars)
    HistogramShape.estimateRatio.record(
      Int64(clamping: ratio), in: pairs, at: base + PairCells.estimateRatio)
  }
}

/// Where the cells of one app at one upstream stand, from the pair's base.
enum PairCells {
  /// By the first digit of the status; a caller that was gone saw none.
  static let statusClasses = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"]
  static let endingCount = CallEnding.allCases.count

  static let usageSources = statusClasses.count * endingCount
  static let cost = usageSources + UsageSource.allCases.count
  static let debt = cost + 1
  static let inputTokens = debt + 1
  static let outputTokens = inputTokens + HistogramShape.tokens.cellCount
  static let duration = outputTokens + HistogramShape.tokens.cellCount
  static let firstToken = duration + HistogramShape.duration.cellCount
  static let estimateRatio = firstToken + HistogramShape.firstToken.cellCount
  static let count = estimateRatio + HistogramShape.estimateRatio.cellCount
}

/// Where the cells of the whole process stand.
enum ProcessCells {
  static let connectionsOpen = 0
  static let connectionsAccepted = 1
  static let incidents = 2
  static let count = incidents + Incident.allCases.count
}
