// The continuous watch as a part of a running process: looks every few seconds, off the threads
// that others need.

import Dispatch
import Logging
import Metering
import ServiceLifecycle

/// Passes of the watch until it is told to stop.
public struct WatchService: Service {
  private let watch: DriftWatch
  private let policies: [AppDriftPolicy]
  private let clock: AnalyzerService.Clock
  private let logger: Logger
  private let wake: @Sendable () -> Void
  private let queue = DispatchQueue(label: "leeway.watch", qos: .utility)

  /// Between two passes.
  static let pauseMilliseconds: Int64 = 2_000
  /// How long the outputs a day are taken to stay what they are.
  private static let runLengthMilliseconds: Int64 = 3_600_000

  /// - Parameter wake: called when an alert was raised, so that it is sent at once.
  public init(
    watch: DriftWatch, policies: [AppDriftPolicy], clock: AnalyzerService.Clock, logger: Logger,
    wake: @escaping @Sendable () -> Void
  ) {
    self.watch = watch
    self.policies = policies
    self.clock = clock
    self.logger = logger
    self.wake = wake
  }

  public func run() async throws {
    await cancelWhenGracefulShutdown {
      var state = State()
      while !Task.isCancelled {
        let before = state
        let outcome = await pass(before)
        state = outcome.state
        if outcome.isBehind { continue }
        guard (try? await clock.sleep(Self.pauseMilliseconds)) != nil else { return }
      }
    }
  }

  private struct State: Sendable {
    var runLength: Double?
    var measuredAt = Timestamp(milliseconds: .min)
    /// Outputs taken since then.
    var taken: Int64 = 0
    /// Faults that were told already.
    var faults: Set<String> = []

    /// Whether the outputs a day have to be counted anew: an hour is over, the clock was put back,
    /// or a day's outputs came in less.
    func isStale(at now: Timestamp, falseAlarmDays: Double) -> Bool {
      guard let runLength, now >= measuredAt else { return true }
      return now.milliseconds - runLengthMilliseconds > measuredAt.milliseconds
        || Double(taken) > runLength / falseAlarmDays
    }
  }

  private func pass(_ state: State) async -> (state: State, isBehind: Bool) {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: passNow(state)) }
    }
  }

  private func passNow(_ state: State) -> (state: State, isBehind: Bool) {
    var state = state
    let now = clock.now()
    do throws(AnalyzerFault) {
      if state.isStale(at: now, falseAlarmDays: watch.settings.falseAlarmDays) {
        state.runLength = try watch.averageRunLength(of: policies, at: now)
        (state.measuredAt, state.taken) = (now, 0)
      }
      let summary = try watch.pass(policies, averageRunLength: state.runLength ?? 0, at: now)
      state.taken += summary.outputs
      if !summary.alertsRaised.isEmpty { wake() }
      for key in summary.alertsRaised {
        logger.warning("drift alarm", metadata: ["alert": "\(key)"])
      }
      let told = state.faults
      state.faults = Set(summary.faults.map { "\($0.app): \($0.fault)" })
      for fault in state.faults.subtracting(told).sorted() {
        logger.warning("not watched", metadata: ["cause": "\(fault)"])
      }
      return (state, summary.isBehind)
    } catch {
      let text = "\(error)"
      if state.faults.insert(text).inserted {
        logger.error("watch failed; tried again", metadata: ["cause": "\(text)"])
      }
      return (state, false)
    }
  }
}
