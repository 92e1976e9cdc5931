// The seam between the outbox and the ways an alert can go.

import Alerting
import Curl
import Logging
import Store

/// One way of telling someone. An implementation attempts once; when to try again is the outbox's
/// concern.
public protocol Notifier: Sendable {
  /// Delivers an alert, or says why not. Returns only when the receiver has taken it.
  func send(_ alert: AlertRow, to address: String) async throws(NotifyFault)
}

/// The kinds of receivers, as the outbox's `channel` names them.
public enum Channel: String, Sendable, CaseIterable {
  case log, email, webhook

  /// An address for logs and reports. A webhook's user, path and query are secrets; a mail address
  /// is needed to find out who was not told.
  public static func redacted(channel: String, address: String) -> String {
    switch Channel(rawValue: channel) {
    case .log: "log"
    case .email: address.contains("/") ? "(redacted)" : address
    case .webhook, nil: CurlURL(address)?.redacted ?? "(redacted)"
    }
  }
}

/// Writes alerts to the program's own log: the receiver that is always there.
public struct LogNotifier: Notifier {
  private let logger: Logger

  public init(logger: Logger) { self.logger = logger }

  public func send(_ alert: AlertRow, to address: String) async throws(NotifyFault) {
    let level: Logger.Level =
      switch AlertSeverity(rawValue: alert.severity) {
      case .critical: .critical
      case .notice: .notice
      case .warning, nil: .warning
      }
    logger.log(
      level: level, "alert",
      metadata: [
        "key": "\(alert.key)", "app": "\(alert.app)", "kind": "\(alert.kind)",
        "title": "\(Self.oneLine(alert.title))", "body": "\(Self.oneLine(alert.body))",
      ])
  }

  /// A record is a line: what collects logs splits them there, and a name from outside must not be
  /// able to forge a second one.
  static func oneLine(_ text: String) -> String {
    let lines = text.split(whereSeparator: \.isNewline)
    return String(
      String.UnicodeScalarView(
        lines.joined(separator: " ").unicodeScalars.map {
          $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
        }))
  }
}
