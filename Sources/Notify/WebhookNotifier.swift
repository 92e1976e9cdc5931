// Alerts as JSON to a URL.

import Curl
import Store

/// Posts each alert with its key as `Idempotency-Key`, so that a receiver can tell a repeat.
public struct WebhookNotifier: Notifier {
  private let client: CurlClient
  private let timeoutSeconds: Double
  private let certificateFile: String?

  /// - Parameter certificateFile: certificates to trust, PEM; nil: the system's.
  public init(client: CurlClient, timeoutSeconds: Double = 15, certificateFile: String? = nil) {
    self.client = client
    self.timeoutSeconds = timeoutSeconds
    self.certificateFile = certificateFile
  }

  public func send(_ alert: AlertRow, to address: String) async throws(NotifyFault) {
    let place = Channel.redacted(channel: Channel.webhook.rawValue, address: address)
    let http = CurlRequest.HTTP(
      method: "POST",
      headers: [
        ("Content-Type", "application/json"),
        ("User-Agent", "leeway"),
        // Readable where it can be: keys are ASCII unless an app's name is not.
        ("Idempotency-Key", Self.headerText(alert.key)),
      ], body: AlertPayload(alert).webhookBody())
    let request = CurlRequest(
      url: address, content: .http(http), timeoutSeconds: timeoutSeconds,
      connectTimeoutSeconds: timeoutSeconds, responseBytesMax: 1 << 16, reusesConnection: false,
      certificateFile: certificateFile)
    let response: CurlResponse
    do {
      response = try await client.perform(request)
    } catch {
      throw NotifyFault(error)
    }
    try Self.judge(response, place: place)
  }

  /// 2xx is delivered. Later may help after 408, 425, 429 and 5xx; nothing else will.
  static func judge(_ response: CurlResponse, place: String) throws(NotifyFault) {
    switch response.status {
    case 200..<300: return
    case 408, 425, 429, 500..<600:
      let wait = response.header("Retry-After").flatMap { Int($0) }
      throw NotifyFault(
        .receiverBusy, "The webhook at \(place) answered \(response.status).",
        hint: "It is tried again.", isRetryable: true,
        retryAfterSeconds: wait.map { min(max($0, 0), retryAfterSecondsMax) })
    case 300..<400:
      throw NotifyFault(
        .refused, "The webhook at \(place) answered \(response.status), a redirect.",
        hint: "Redirects are not followed; put the final URL into the policy.",
        isRetryable: false)
    default:
      throw NotifyFault(
        .refused, "The webhook at \(place) answered \(response.status).",
        hint: "Check its URL in the app's policy.", isRetryable: false)
    }
  }

  /// A receiver may ask us to wait, but not to forget.
  private static let retryAfterSecondsMax = 3600

  private static func headerText(_ key: String) -> String {
    let isPlain = key.utf8.allSatisfy { $0 > 32 && $0 < 127 }
    return isPlain ? key : MailMessage.identifier(key)
  }
}
