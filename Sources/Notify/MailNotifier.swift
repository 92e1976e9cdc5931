// Alerts by mail, over SMTP.

import Curl
import Metering
import Store

/// Sends each alert as one mail through the configured mail server.
public struct MailNotifier: Notifier {
  public struct Settings: Sendable {
    /// `smtp://host:25`, `smtp://host:587` or `smtps://host:465`.
    public var url: String
    /// The sender's address, `name@host`.
    public var from: String
    public var security: CurlRequest.MailSecurity
    public var username: String?
    public var password: String?
    /// Certificates to trust, PEM; nil: the system's.
    public var certificateFile: String?
    public var timeoutSeconds: Double

    public init(
      url: String, from: String, security: CurlRequest.MailSecurity = .opportunistic,
      username: String? = nil, password: String? = nil, certificateFile: String? = nil,
      timeoutSeconds: Double = 15
    ) {
      self.url = url
      self.from = from
      self.security = security
      self.username = username
      self.password = password
      self.certificateFile = certificateFile
      self.timeoutSeconds = timeoutSeconds
    }
  }

  private let client: CurlClient
  private let settings: Settings
  private let now: @Sendable () -> Timestamp

  public init(
    client: CurlClient, settings: Settings, now: @escaping @Sendable () -> Timestamp
  ) {
    self.client = client
    self.settings = settings
    self.now = now
  }

  public func send(_ alert: AlertRow, to address: String) async throws(NotifyFault) {
    let message = MailMessage(from: settings.from, to: address, alert: alert, date: now())
    let mail = CurlRequest.Mail(
      from: settings.from, recipients: [address], message: message.bytes(),
      security: settings.security, username: settings.username, password: settings.password)
    let request = CurlRequest(
      url: settings.url, content: .mail(mail), timeoutSeconds: settings.timeoutSeconds,
      connectTimeoutSeconds: settings.timeoutSeconds, reusesConnection: false,
      certificateFile: settings.certificateFile)
    do {
      _ = try await client.perform(request)
    } catch {
      throw NotifyFault(error)
    }
  }
}
