// A URL as libcurl itself understands it, so that what is checked is what is connected to.

import CCurl

/// The parts of a URL that decide where a transfer goes.
public struct CurlURL: Hashable, Sendable {
  /// Lower case: http, https, smtp or smtps.
  public var scheme: String
  /// Without the brackets of an IPv6 address.
  public var host: String
  public var port: Int
  /// Does the URL itself carry a user or a password?
  public var hasCredentials: Bool

  /// Nil where libcurl cannot read it, the host is empty, or the scheme is not one of ours.
  public init?(_ text: String) {
    guard !text.utf8.contains(0), let handle = curl_url() else { return nil }
    defer { curl_url_cleanup(handle) }
    // Without a default scheme "localhost:25" would be read as a scheme; it must stand there.
    guard curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK else { return nil }
    func part(_ part: CURLUPart, flags: UInt32 = 0) -> String? {
      var value: UnsafeMutablePointer<CChar>?
      guard curl_url_get(handle, part, &value, flags) == CURLUE_OK, let value else { return nil }
      defer { curl_free(value) }
      return String(cString: value)
    }
    guard
      let scheme = part(CURLUPART_SCHEME)?.lowercased(), Self.schemes.contains(scheme),
      var host = part(CURLUPART_HOST), !host.isEmpty,
      let port = part(CURLUPART_PORT, flags: UInt32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) })
    else { return nil }
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    self.scheme = scheme
    self.host = host.lowercased()
    self.port = port
    hasCredentials = part(CURLUPART_USER) != nil || part(CURLUPART_PASSWORD) != nil
  }

  public var isMail: Bool { scheme == "smtp" || scheme == "smtps" }

  /// Does it stay on this machine?
  public var isLoopback: Bool {
    host == "localhost" || host == "::1" || Self.isIPv4Loopback(host)
      || host.hasSuffix(".localhost")
  }

  /// For logs: without user information, path and query, all of which may be secrets.
  public var redacted: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return "\(scheme)://\(name):\(port)/…"
  }

  private static func isIPv4Loopback(_ host: String) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  private static let schemes: Set<String> = ["http", "https", "smtp", "smtps"]
}
