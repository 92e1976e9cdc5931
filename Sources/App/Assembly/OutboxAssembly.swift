// The outbox with the ways of telling people that the settings name.

import Alerting
import Curl
import Foundation
import Logging
import Metering
import Notify
import Store

extension Outbox {
  /// The log and webhooks always, mail where a mail server is named.
  static func assembled(
    _ settings: GatewaySettings, store: StoreDatabase, curl: CurlClient, logger: Logger
  ) -> Outbox {
    let now: @Sendable () -> Timestamp = { Clock.now() }
    var notifiers: [Channel: any Notifier] = [
      .log: LogNotifier(logger: logger),
      .webhook: WebhookNotifier(client: curl),
    ]
    if let mail = settings.mail {
      notifiers[.email] = MailNotifier(
        client: curl,
        settings: .init(
          url: mail.smtpURL, from: mail.from, username: mail.username?.value,
          password: mail.password?.value), now: now)
    }
    return Outbox(store: store, notifiers: notifiers, now: now, logger: logger)
  }
}
