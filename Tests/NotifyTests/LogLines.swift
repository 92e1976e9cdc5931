// A log that keeps what it is told, for looking for what must not be in it.

import Logging
import Synchronization

final class LogLines: LogHandler, Sendable {
  private let lines = Mutex("")

  var text: String { lines.withLock { $0 } }

  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }

  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  func log(
    level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String,
    file: String, function: String, line: UInt
  ) {
    lines.withLock { $0 += "\(level) \(message) \(metadata ?? [:])\n" }
  }
}
