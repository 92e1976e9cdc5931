// The JSON side of an alert: what webhooks get, and the link in it for mails.

import Alerting
import Foundation
import Metering
import Store

/// Reads an alert's payload.
struct AlertPayload {
  private let alert: AlertRow
  private let fields: [String: Any]

  init(_ alert: AlertRow) {
    self.alert = alert
    let parsed = try? JSONSerialization.jsonObject(with: Data(alert.payloadJSON.utf8))
    fields = parsed as? [String: Any] ?? [:]
  }

  /// Where a person finds more; nil: nowhere.
  var link: String? {
    guard let link = fields["link"] as? String, !link.isEmpty else { return nil }
    return link
  }

  /// The body of a webhook: the payload as it was raised, byte for byte, where it names its alert;
  /// else one made of the row.
  func webhookBody() -> [UInt8] {
    if fields["key"] as? String == alert.key { return Array(alert.payloadJSON.utf8) }
    let rebuilt = Alert(
      key: AlertKey(text: alert.key), app: alert.app,
      kind: AlertKind(rawValue: alert.kind) ?? .system,
      severity: AlertSeverity(rawValue: alert.severity) ?? .warning, title: alert.title,
      body: alert.body, link: link, atMilliseconds: alert.at.milliseconds)
    return Array(rebuilt.payloadJSON.utf8)
  }
}
