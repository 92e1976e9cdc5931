// The analyzer as a part of a running process: sleeps until a night is due, then runs it off the
// threads that others need.

import Dispatch
import Logging
import Metering
import ServiceLifecycle

/// Runs nights on their schedule until it is told to stop.
public struct AnalyzerService: Service {
  /// Where time comes from; a test brings its own.
  public struct Clock: Sendable {
    public var now: @Sendable () -> Timestamp
    /// Sleeps so many milliseconds; throws where cancelled.
    public var sleep: @Sendable (Int64) async throws -> Void

    public init(
      now: @escaping @Sendable () -> Timestamp,
      sleep: @escaping @Sendable (Int64) async throws -> Void
    ) {
      self.now = now
      self.sleep = sleep
    }
  }

  private let run: NightRun
  private let schedule: NightSchedule
  private let reports: ReportFolder
  private let policies: @Sendable () throws -> [AppDriftPolicy]
  private let clock: Clock
  private let logger: Logger
  private let queue = DispatchQueue(label: "leeway.analyzer", qos: .utility)

  /// The longest sleep at a stretch: a clock that was set, or a machine that slept, is noticed.
  static let sleepMillisecondsMax: Int64 = 60_000
  /// How long a failed night waits.
  static let retryMilliseconds: Int64 = 600_000

  /// - Parameter policies: read anew for every night, so that a reviewed change counts at once.
  public init(
    run: NightRun, schedule: NightSchedule, reports: ReportFolder, clock: Clock, logger: Logger,
    policies: @escaping @Sendable () throws -> [AppDriftPolicy]
  ) {
    self.run = run
    self.schedule = schedule
    self.reports = reports
    self.policies = policies
    self.clock = clock
    self.logger = logger
  }

  public func run() async throws {
    await cancelWhenGracefulShutdown {
      do {
        while !Task.isCancelled {
          let wake = try await pass()
          try await sleep(until: wake)
        }
      } catch is CancellationError {
        // The process is stopping; a night that was not finished is due again at the next start.
      } catch {
        logger.error("analyzer stopped", metadata: ["error": "\(error)"])
      }
    }
  }

  /// Runs what is due; returns when to look again.
  func pass() async throws -> Timestamp {
    let last = reports.lastComplete(before: schedule.latest(at: clock.now()).adding(days: 1))
    for date in schedule.due(at: clock.now(), last: last) {
      try Task.checkCancellation()
      guard await judge(date) else {
        return clock.now().adding(milliseconds: Self.retryMilliseconds)
      }
    }
    return schedule.next(after: clock.now())
  }

  private func judge(_ date: CivilDate) async -> Bool {
    let now = clock.now()
    let outcome = await withCheckedContinuation { continuation in
      // Labelling takes processor time and blocks on the database: neither on a shared thread.
      queue.async {
        continuation.resume(
          returning: Result { try run.run(date, policies: policies(), at: now) })
      }
    }
    switch outcome {
    case .success(let summary):
      logger.info(
        "night judged",
        metadata: [
          "night": "\(date)", "apps": "\(summary.reports.count)",
          "drifted": "\(summary.reports.filter { $0.verdict == "drifted" }.count)",
          "faults": "\(summary.faults.count)", "alerts": "\(summary.alertsRaised.count)",
        ])
      for (app, fault) in summary.faults {
        logger.warning("app not judged", metadata: ["app": "\(app)", "error": "\(fault)"])
      }
      return true
    case .failure(let error):
      logger.error("night failed", metadata: ["night": "\(date)", "error": "\(error)"])
      return false
    }
  }

  private func sleep(until wake: Timestamp) async throws {
    while true {
      let left = wake.milliseconds - clock.now().milliseconds
      if left <= 0 { return }
      try await clock.sleep(min(left, Self.sleepMillisecondsMax))
    }
  }
}
