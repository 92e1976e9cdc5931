// The fold: from the journal into the database, for as long as the gateway runs.
//
// The journal is the truth and the tables its view, so a database that is locked, full or read-only
// stops nobody: the view falls behind, says so once, and catches up.

public import Logging
internal import Synchronization

/// Folds what the journal has and the database lacks, in batches, until there is no more.
///
/// - Parameter batch: events per transaction.
/// - Returns: how many events were new to the database.
/// - Throws: where either fails; what was folded until then stays, nothing is lost.
@discardableResult
public func foldOnce(
  journal: Journal, database: StoreDatabase, batch: Int = 8192
) throws(StoreFault) -> Int {
  var folded = 0
  while true {
    let events = try journal.takeUnfolded(max: batch)
    guard let last = events.last else { return folded }
    folded += try database.fold(events)
    try journal.folded(through: last.sequence)
  }
}

/// Runs the fold on a thread of its own.
public final class FoldPump: Sendable {
  public struct Settings: Hashable, Sendable {
    /// Pause between rounds, in milliseconds; a busy gateway folds about so many milliseconds'
    /// events in one transaction.
    public var intervalMilliseconds = 200
    /// Events per transaction.
    public var batch = 8192
    /// After a failure the pause doubles from the interval up to this, in milliseconds.
    public var backoffMillisecondsMax = 5_000

    public init() {}
  }

  /// Counters since the start.
  public struct Status: Hashable, Sendable {
    public var foldedEvents = 0
    public var failures = 0
    /// The failure that the fold is in now; nil: it works.
    public var fault: StoreFault?
  }

  private let journal: Journal
  private let database: StoreDatabase
  private let settings: Settings
  private let logger: Logger
  private let state = Mutex((status: Status(), delay: 0))

  public init(
    journal: Journal, database: StoreDatabase, settings: Settings = Settings(),
    logger: Logger = Logger(label: "leeway.fold")
  ) {
    self.journal = journal
    self.database = database
    self.settings = settings
    self.logger = logger
  }

  /// How the fold stands.
  public var status: Status { state.withLock { $0.status } }

  /// How many events are in the journal and not yet in the database.
  public var lag: UInt64 { journal.unfoldedCount }

  /// Folds until the task is cancelled, then once more, and returns. Only those last rounds block
  /// the caller's thread. Fits a `Service` whose `run()` calls it; close journal and database
  /// afterwards.
  public func run() async {
    let ticker = Ticker(name: "leeway-fold", isBackground: true) { [self] in round() }
    await Self.cancellation()
    ticker.stop()
    _ = round()
  }

  /// One round; returns the pause until the next, in milliseconds.
  @discardableResult
  func round() -> Int {
    do throws(StoreFault) {
      let count = try foldOnce(journal: journal, database: database, batch: settings.batch)
      return succeeded(count)
    } catch {
      return failed(error)
    }
  }

  private func succeeded(_ count: Int) -> Int {
    let recovered = state.withLock { state in
      defer {
        state.status.fault = nil
        state.delay = settings.intervalMilliseconds
      }
      state.status.foldedEvents += count
      return state.status.fault != nil
    }
    if recovered { logger.notice("fold works again", metadata: ["events": "\(count)"]) }
    return settings.intervalMilliseconds
  }

  private func failed(_ fault: StoreFault) -> Int {
    let (isNew, delay) = state.withLock { state in
      let isNew = state.status.fault?.code != fault.code
      state.status.fault = fault
      state.status.failures += 1
      state.delay = min(
        max(state.delay, settings.intervalMilliseconds) * 2, settings.backoffMillisecondsMax)
      return (isNew, state.delay)
    }
    if isNew {
      logger.error(
        "fold failed; events wait in the journal and are folded later",
        metadata: ["fault": "\(fault)", "waiting": "\(lag)"])
    }
    return delay
  }

  /// Returns when the task is cancelled.
  private static func cancellation() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    await withTaskCancellationHandler {
      for await _ in stream {}
    } onCancel: {
      continuation.finish()
    }
  }
}
