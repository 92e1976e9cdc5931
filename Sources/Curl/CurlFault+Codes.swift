// libcurl's result codes as faults of ours.

import CCurl

extension CurlFault {
  /// - Parameters:
  ///   - reply: the server's last reply code; 0 where there was none.
  ///   - detail: libcurl's error text, kept only where it speaks of the connection.
  static func from(
    _ code: CURLcode, to url: CurlURL, reply: Int, isTooLarge: Bool, detail: String
  ) -> CurlFault {
    let words = String(cString: curl_easy_strerror(code))
    let cause = detail.isEmpty ? words : detail
    let place = url.redacted
    if isTooLarge {
      return CurlFault(
        .responseTooLarge, "The answer of \(place) is larger than allowed.",
        hint: "Check that the address is the right one.", isRetryable: false)
    }
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
      return CurlFault(
        .hostUnresolved, "The host of \(place) has no address.",
        hint: "Check the name and this machine's DNS.", isRetryable: true, cause: cause)
    case CURLE_COULDNT_CONNECT:
      return CurlFault(
        .connectFailed, "\(place) cannot be reached.",
        hint: "Check that it runs and that a firewall lets us through.", isRetryable: true,
        cause: cause)
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CACERT_BADFILE, CURLE_USE_SSL_FAILED, CURLE_SSL_CIPHER,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
      return CurlFault(
        .tlsFailed, "No trusted TLS connection to \(place) came about.",
        hint: "Check its certificate, and the certificates that this machine trusts.",
        isRetryable: true, cause: cause)
    case CURLE_OPERATION_TIMEDOUT:
      return CurlFault(
        .timeout, "\(place) did not answer in time.",
        hint: "Check its load; the bound can be raised.", isRetryable: true, cause: cause)
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT:
      return .requestInvalid("\(place) cannot be used.", hint: "Check the address.")
    default:
      if url.isMail, code == CURLE_LOGIN_DENIED || reply >= 400 {
        return mailRefused(place: place, reply: reply, words: words)
      }
      return CurlFault(
        .transferBroken, "The transfer to \(place) broke off.",
        hint: "Check what the other end logged.", isRetryable: true, cause: words)
    }
  }

  private static func mailRefused(place: String, reply: Int, words: String) -> CurlFault {
    // RFC 5321: a reply that begins with 4 is for now, one with 5 for good.
    CurlFault(
      .mailRefused, "The mail server at \(place) refused, reply \(reply).",
      hint: "Check sender, recipients and login.", isRetryable: reply < 500, cause: words)
  }
}
