// Work that is done again and again until shutdown: polling orders, folding, pruning.

import Logging
import NIOPosix
import ServiceLifecycle

/// A service that calls a body at an interval, on a thread that may block.
///
/// A body that throws is called again at the next turn; the fault is logged when it begins and when
/// it ends, not on every turn.
struct Repeating: Service {
  let name: String
  let every: Duration
  let threads: NIOThreadPool
  let logger: Logger
  /// Called once more after shutdown began, so that what is pending is not left.
  let runsAtShutdown: Bool
  let body: @Sendable () throws -> Void

  init(
    _ name: String, every: Duration, threads: NIOThreadPool, logger: Logger,
    runsAtShutdown: Bool = false, body: @escaping @Sendable () throws -> Void
  ) {
    self.name = name
    self.every = every
    self.threads = threads
    self.logger = logger
    self.runsAtShutdown = runsAtShutdown
    self.body = body
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var isFailing = false
      while !Task.isCancelled {
        isFailing = await turn(isFailing: isFailing)
        try? await Task.sleep(for: every)
      }
    }
    if runsAtShutdown { _ = await turn(isFailing: false) }
  }

  private func turn(isFailing: Bool) async -> Bool {
    do {
      let body = body
      try await threads.runIfActive { try body() }
      if isFailing { logger.notice("works again", metadata: ["task": "\(name)"]) }
      return false
    } catch is CancellationError {
      return isFailing
    } catch {
      if !isFailing {
        logger.error("failed; tried again", metadata: ["task": "\(name)", "cause": "\(error)"])
      }
      return true
    }
  }
}
