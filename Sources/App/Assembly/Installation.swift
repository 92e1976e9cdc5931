// Opening what an installation consists of: the store and the directories that it writes to.

import Foundation
import Logging
import Metering
import Store

/// Opens the parts of an installation from its settings.
enum Installation {
  /// The store, with its directory made where it is missing.
  static func openStore(_ settings: GatewaySettings) throws -> StoreDatabase {
    let path = settings.storePath
    try makeDirectory((path as NSString).deletingLastPathComponent)
    return try StoreDatabase.open(path: path)
  }

  static func makeDirectory(_ path: String) throws {
    guard !path.isEmpty else { return }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw AppFault(
        "The directory \(path) cannot be made.",
        hint: "Check that its parent exists and that this account may write there.",
        cause: "\(error.localizedDescription)")
    }
  }

  /// The log of a command or service: plain lines on standard error.
  static func logger(_ label: String, level: Logger.Level = .info) -> Logger {
    var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = level
    return logger
  }
}

/// A failure of assembling or running the program as a whole.
struct AppFault: Error, CustomStringConvertible {
  var message: String
  var hint: String
  var cause: String

  init(_ message: String, hint: String, cause: String = "") {
    self.message = message
    self.hint = hint
    self.cause = cause
  }

  var description: String {
    message + (cause.isEmpty ? "" : " (\(cause))") + (hint.isEmpty ? "" : " " + hint)
  }
}
