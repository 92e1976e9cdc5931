// Tells the outside that an upstream codes its answers although it was asked not to, in a way that
// cannot be read. Once per app and coding: the first such answer says all that the others would.

import Logging
import NIOPosix
import Synchronization

/// What was told so far.
final class UnreadableCodings: Sendable {
  private struct Occurrence: Hashable {
    var app: String
    var coding: ContentCoding
  }

  // Bounded: apps are those of the policy, codings a closed list.
  private let told = Mutex<Set<Occurrence>>([])
  private let threads: NIOThreadPool
  private let logger: Logger
  private let tell: @Sendable (_ app: String, _ coding: String) -> Void

  /// - Parameter tell: called on a thread that may block.
  init(
    threads: NIOThreadPool, logger: Logger,
    tell: @escaping @Sendable (_ app: String, _ coding: String) -> Void
  ) {
    self.threads = threads
    self.logger = logger
    self.tell = tell
  }

  /// Takes an answer that was charged as estimated because of its coding. Called on an event loop.
  func note(app: String, coding: ContentCoding) {
    let isNew = told.withLock { $0.insert(Occurrence(app: app, coding: coding)).inserted }
    guard isNew else { return }
    logger.warning(
      "an answer's coding cannot be read; such calls are charged as estimated",
      metadata: ["app": "\(app)", "coding": "\(coding.rawValue)"])
    let tell = tell
    threads.submit { _ in tell(app, coding.rawValue) }
  }
}
