// One transfer on its easy handle: options in, answer out.
//
// Everything here runs on the client's own thread; libcurl calls back on it from inside
// `curl_multi_perform`.

import CCurl

/// A request under way. Made anywhere, then used by the client's thread alone.
final class Transfer: @unchecked Sendable {
  // Unchecked: handed over once, through the client's locked queue.
  typealias Continuation = CheckedContinuation<Result<CurlResponse, CurlFault>, Never>

  let id: UInt64
  private let request: CurlRequest
  private let url: CurlURL
  private let continuation: Continuation

  private(set) var easy: UnsafeMutableRawPointer?
  private var lists: [UnsafeMutablePointer<curl_slist>] = []
  private let errorText: UnsafeMutablePointer<CChar>
  private var upload: [UInt8] = []
  private var uploaded = 0
  private var body: [UInt8] = []
  private var bodyBytes = 0
  private var headers: [(name: String, value: String)] = []
  private var headBytes = 0
  /// In HTTP/1 an answer's head may leave open where its body ends.
  private var isHTTP1 = false
  private var isTooLarge = false

  init(id: UInt64, request: CurlRequest, url: CurlURL, continuation: Continuation) {
    self.id = id
    self.request = request
    self.url = url
    self.continuation = continuation
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit { errorText.deallocate() }

  /// Makes the easy handle with every option; nil where libcurl refuses one.
  func prepare() -> UnsafeMutableRawPointer? {
    guard let easy = curl_easy_init() else { return nil }
    self.easy = easy
    var isFine = true
    func set(_ code: CURLcode) { if code != CURLE_OK { isFine = false } }
    func long(_ option: CURLoption, _ value: Int) { set(leeway_curl_set_long(easy, option, value)) }
    func text(_ option: CURLoption, _ value: String) {
      set(leeway_curl_set_text(easy, option, value))
    }

    text(CURLOPT_URL, request.url)
    set(leeway_curl_restrict_protocols(easy))
    long(CURLOPT_NOSIGNAL, 1)
    long(CURLOPT_FOLLOWLOCATION, 0)
    long(CURLOPT_SSL_VERIFYPEER, 1)
    long(CURLOPT_SSL_VERIFYHOST, 2)
    if let file = request.certificateFile { text(CURLOPT_CAINFO, file) }
    long(CURLOPT_TIMEOUT_MS, Self.milliseconds(request.timeoutSeconds))
    long(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.connectTimeoutSeconds))
    if url.isLoopback { text(CURLOPT_PROXY, "") }
    if !request.reusesConnection {
      long(CURLOPT_FRESH_CONNECT, 1)
      long(CURLOPT_FORBID_REUSE, 1)
    }
    set(leeway_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
    // Unretained: the client's table holds the transfer until its handle is cleaned up.
    let context = Unmanaged.passUnretained(self).toOpaque()
    set(leeway_curl_set_write(easy, Self.onBody, context))
    set(leeway_curl_set_header(easy, Self.onHeader, context))
    switch request.content {
    case .http(let http): setHTTP(http, easy, set)
    case .mail(let mail): setMail(mail, easy, context, set)
    }
    return isFine ? easy : nil
  }

  /// Frees the handle and answers whoever waits. Called exactly once.
  func finish(_ result: Result<CurlResponse, CurlFault>) {
    if let easy { curl_easy_cleanup(easy) }
    easy = nil
    for list in lists { curl_slist_free_all(list) }
    lists = []
    continuation.resume(returning: result)
  }

  /// What a finished transfer amounts to.
  func result(of code: CURLcode) -> Result<CurlResponse, CurlFault> {
    let status = easy.map { leeway_curl_response_code($0) } ?? 0
    if code == CURLE_OK {
      var response = CurlResponse(status: status, headers: headers, body: body)
      response.isDelimited =
        !isHTTP1 || response.header("content-length") != nil
        || response.header("transfer-encoding") != nil
      return .success(response)
    }
    return .failure(
      .from(
        code, to: url, reply: status, isTooLarge: isTooLarge,
        detail: String(cString: errorText)))
  }

  private func setHTTP(_ http: CurlRequest.HTTP, _ easy: CURLHandle, _ set: (CURLcode) -> Void) {
    switch http.method {
    case "GET" where http.body.isEmpty: set(leeway_curl_set_long(easy, CURLOPT_HTTPGET, 1))
    case "HEAD": set(leeway_curl_set_long(easy, CURLOPT_NOBODY, 1))
    default:
      set(leeway_curl_set_long(easy, CURLOPT_POST, 1))
      set(leeway_curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(http.body.count)))
      http.body.withUnsafeBytes { bytes in
        // curl copies; an empty body still needs an address.
        let address = bytes.baseAddress ?? UnsafeRawPointer(errorText)
        set(
          leeway_curl_set_pointer(
            easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: address)))
      }
      if http.method != "POST" {
        set(leeway_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, http.method))
      }
    }
    var lines = http.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
    // libcurl would wait a second for "100 Continue", and call any body a form.
    lines.append("Expect:")
    if !http.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
      lines.append("Content-Type:")
    }
    setList(CURLOPT_HTTPHEADER, lines, easy, set)
  }

  private func setMail(
    _ mail: CurlRequest.Mail, _ easy: CURLHandle, _ context: UnsafeMutableRawPointer,
    _ set: (CURLcode) -> Void
  ) {
    upload = mail.message
    set(leeway_curl_set_text(easy, CURLOPT_MAIL_FROM, "<\(mail.from)>"))
    setList(CURLOPT_MAIL_RCPT, mail.recipients.map { "<\($0)>" }, easy, set)
    set(leeway_curl_set_long(easy, CURLOPT_UPLOAD, 1))
    set(leeway_curl_set_size(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(upload.count)))
    set(leeway_curl_set_read(easy, Self.onRoom, context))
    let level =
      switch mail.security {
      case .none: CURLUSESSL_NONE
      case .opportunistic: CURLUSESSL_TRY
      case .required: CURLUSESSL_ALL
      }
    set(leeway_curl_set_long(easy, CURLOPT_USE_SSL, Int(level.rawValue)))
    if let username = mail.username {
      set(leeway_curl_set_text(easy, CURLOPT_USERNAME, username))
    }
    if let password = mail.password {
      set(leeway_curl_set_text(easy, CURLOPT_PASSWORD, password))
    }
  }

  private func setList(
    _ option: CURLoption, _ lines: [String], _ easy: CURLHandle, _ set: (CURLcode) -> Void
  ) {
    var list: UnsafeMutablePointer<curl_slist>?
    for line in lines {
      guard let longer = curl_slist_append(list, line) else { return set(CURLE_OUT_OF_MEMORY) }
      list = longer
    }
    guard let list else { return }
    lists.append(list)
    set(leeway_curl_set_list(easy, option, list))
  }

  private static func milliseconds(_ seconds: Double) -> Int {
    Int(min(max(seconds * 1000, 1), 86_400_000))
  }
}

typealias CURLHandle = UnsafeMutableRawPointer

extension Transfer {
  fileprivate static func transfer(_ context: UnsafeMutableRawPointer) -> Transfer {
    Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  }

  fileprivate static let onBody: leeway_curl_bytes = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    return transfer(context).take(UnsafeRawBufferPointer(start: bytes, count: size * count))
  }

  fileprivate static let onHeader: leeway_curl_bytes = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    return transfer(context).takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
  }

  fileprivate static let onRoom: leeway_curl_bytes = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    return transfer(context).give(
      UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
  }

  private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard bytes.count <= request.responseBytesMax - bodyBytes else {
      isTooLarge = true
      return 0
    }
    bodyBytes += bytes.count
    if let onBody = request.onBody {
      let status = easy.map { leeway_curl_response_code($0) } ?? 0
      return status != 200 || onBody(bytes) ? bytes.count : 0
    }
    body.append(contentsOf: bytes)
    return bytes.count
  }

  private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    headBytes += bytes.count
    guard headBytes <= max(request.responseBytesMax, 1 << 16) else {
      isTooLarge = true
      return 0
    }
    guard !url.isMail else { return bytes.count }
    let line = String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      // A new head: an interim answer's lines do not belong to the final one.
      headers = []
      isHTTP1 = line.hasPrefix("HTTP/1")
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...]
      headers.append((String(line[..<colon]), Self.trimmed(value)))
    }
    return bytes.count
  }

  private func give(_ room: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(room.count, upload.count - uploaded)
    upload.withUnsafeBytes {
      room.copyMemory(from: .init(rebasing: $0[uploaded..<uploaded + count]))
    }
    uploaded += count
    return count
  }

  private static func trimmed(_ value: Substring) -> String {
    var value = value
    while let first = value.first, first.isWhitespace { value.removeFirst() }
    while let last = value.last, last.isWhitespace { value.removeLast() }
    return String(value)
  }
}
