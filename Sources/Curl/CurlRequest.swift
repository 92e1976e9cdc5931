// A transfer as a value: what is to be sent where, within which bounds.

/// One HTTP request or one mail.
public struct CurlRequest: Sendable {
  public struct HTTP: Sendable {
    /// Upper case: GET, POST, ….
    public var method: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(method: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
      self.method = method
      self.headers = headers
      self.body = body
    }
  }

  /// How a mail connection that begins in the clear goes on.
  public enum MailSecurity: String, Sendable, CaseIterable {
    /// In the clear.
    case none
    /// STARTTLS where the server offers it.
    case opportunistic
    /// STARTTLS or nothing.
    case required
  }

  public struct Mail: Sendable {
    public var from: String
    public var recipients: [String]
    /// Headers and body with CRLF line ends; libcurl doubles leading dots.
    public var message: [UInt8]
    public var security: MailSecurity
    public var username: String?
    public var password: String?

    public init(
      from: String, recipients: [String], message: [UInt8],
      security: MailSecurity = .opportunistic, username: String? = nil, password: String? = nil
    ) {
      self.from = from
      self.recipients = recipients
      self.message = message
      self.security = security
      self.username = username
      self.password = password
    }
  }

  public enum Content: Sendable {
    case http(HTTP)
    case mail(Mail)
  }

  public var url: String
  public var content: Content
  /// For the transfer as a whole, > 0.
  public var timeoutSeconds: Double
  /// For reaching the other end, TLS included, > 0.
  public var connectTimeoutSeconds: Double
  /// More than this of an answer's head or body is a fault.
  public var responseBytesMax: Int
  /// May a connection of an earlier transfer be used? libcurl sends again where such a connection
  /// turns out dead, so what must not arrive twice says no.
  public var reusesConnection: Bool
  /// Certificates to trust, PEM; nil: the system's.
  public var certificateFile: String?
  /// Takes the body of an answer of status 200 as it comes, on the client's own thread, and says
  /// whether to go on: false is the transfer's end, `transferBroken`. The response's body is empty
  /// then, whatever its status.
  public var onBody: (@Sendable (UnsafeRawBufferPointer) -> Bool)?

  public init(
    url: String, content: Content, timeoutSeconds: Double = 30,
    connectTimeoutSeconds: Double = 10, responseBytesMax: Int = 1 << 20,
    reusesConnection: Bool = true, certificateFile: String? = nil,
    onBody: (@Sendable (UnsafeRawBufferPointer) -> Bool)? = nil
  ) {
    self.url = url
    self.content = content
    self.timeoutSeconds = timeoutSeconds
    self.connectTimeoutSeconds = connectTimeoutSeconds
    self.responseBytesMax = responseBytesMax
    self.reusesConnection = reusesConnection
    self.certificateFile = certificateFile
    self.onBody = onBody
  }
}

/// What came back.
public struct CurlResponse: Sendable {
  /// The HTTP status, or the mail server's last reply code.
  public var status: Int
  /// In order, names as sent; empty for mail.
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  /// Whether the answer said where it ends. One that ends with its connection may have been cut.
  public var isDelimited = true

  /// The first value of a header, by name in any case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

extension CurlRequest {
  /// Finds what libcurl would send wrongly or not refuse itself, and reads the URL.
  func validated() throws(CurlFault) -> CurlURL {
    guard let parsed = CurlURL(url) else {
      throw .requestInvalid(
        "The address of a transfer is not an http, https, smtp or smtps URL.",
        hint: "Write it as scheme://host[:port]/….")
    }
    guard timeoutSeconds > 0, connectTimeoutSeconds > 0, responseBytesMax >= 0 else {
      throw .requestInvalid(
        "A bound of the transfer to \(parsed.redacted) is not positive.",
        hint: "Timeouts are seconds above zero.")
    }
    switch content {
    case .http(let http):
      guard !parsed.isMail else { throw Self.mismatch(parsed) }
      try Self.check(http, to: parsed)
    case .mail(let mail):
      guard parsed.isMail else { throw Self.mismatch(parsed) }
      try Self.check(mail, to: parsed)
    }
    return parsed
  }

  private static func mismatch(_ url: CurlURL) -> CurlFault {
    .requestInvalid(
      "The scheme of \(url.redacted) does not fit what is to be sent.",
      hint: "Mail goes to smtp or smtps, all else to http or https.")
  }

  private static func check(_ http: HTTP, to url: CurlURL) throws(CurlFault) {
    let isToken = !http.method.isEmpty && http.method.utf8.allSatisfy { isTokenByte($0) }
    guard isToken else {
      throw .requestInvalid(
        "The method of a request to \(url.redacted) is no HTTP token.", hint: "Use GET or POST.")
    }
    for (name, value) in http.headers {
      guard
        !name.isEmpty, name.utf8.allSatisfy(isTokenByte),
        value.utf8.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) })
      else {
        throw .requestInvalid(
          "A header of a request to \(url.redacted) has bytes that no header may have.",
          hint: "Names are tokens; values are without control characters.")
      }
    }
  }

  private static func check(_ mail: Mail, to url: CurlURL) throws(CurlFault) {
    for address in [mail.from] + mail.recipients where !isAddress(address) {
      throw .requestInvalid(
        "A mail address for \(url.redacted) is not of the form name@host.",
        hint: "Addresses are plain, without names, brackets or spaces.")
    }
    guard !mail.recipients.isEmpty else {
      throw .requestInvalid("A mail has no recipient.", hint: "Name at least one.")
    }
    let isClear = url.scheme == "smtp" && mail.security != .required
    if mail.password != nil || url.hasCredentials, isClear, !url.isLoopback {
      throw .requestInvalid(
        "A password would go to \(url.redacted) in the clear.",
        hint: "Use smtps, or require STARTTLS.")
    }
  }

  /// One `@` with something on both sides, and nothing that could end an SMTP command, add one, or
  /// make one address two in a header. Quoted local parts and UTF-8 are not taken.
  static func isAddress(_ address: String) -> Bool {
    let parts = address.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
      && address.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"<>()[]\\,;:\"".utf8.contains($0) }
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}
