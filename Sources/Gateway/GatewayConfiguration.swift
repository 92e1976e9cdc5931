// What the gateway is told at start. Plain values with defaults: App reads them from thresholds/.
//
// Every bound that a stranger could push against stands here, so that none is hidden in a handler.

import Metering
import Providers

/// Where the gateway listens and the bounds it holds every call to.
public struct GatewayConfiguration: Sendable {
  /// Files of a certificate chain and its private key, both PEM.
  public struct TLSFiles: Hashable, Sendable {
    public var certificateChainPath: String
    public var privateKeyPath: String

    public init(certificateChainPath: String, privateKeyPath: String) {
      self.certificateChainPath = certificateChainPath
      self.privateKeyPath = privateKeyPath
    }
  }

  public var host = "127.0.0.1"
  /// 0 picks a free port; `GatewayService.port` then says which.
  public var port = 8080
  /// Nil: plain HTTP.
  public var tls: TLSFiles?
  /// Event loops; 0: one per core.
  public var loops = 0

  /// The most bytes of a request's or an answer's head, and of pipelined bytes held meanwhile.
  public var headBytesMax = 32 * 1024
  /// The most bytes of a request body; it is held whole until admission has read it.
  public var bodyBytesMax = 16 * 1024 * 1024
  /// The most connections of callers at a time; one more is closed at once.
  public var connectionsMax = 4_096

  /// Seconds from a request's first byte to the end of its head.
  public var headTimeoutSeconds: Int64 = 15
  /// Seconds from the end of the head to the end of the body.
  public var bodyTimeoutSeconds: Int64 = 60
  /// Seconds that a connection may stay open between two requests.
  public var idleTimeoutSeconds: Int64 = 75
  /// Seconds that a caller may leave an answer unread before it counts as gone.
  public var stallTimeoutSeconds: Int64 = 60

  /// Seconds to connect to an upstream, its TLS handshake included.
  public var connectTimeoutSeconds: Int64 = 10
  /// Seconds from the request's last byte to the answer's first.
  public var answerTimeoutSeconds: Int64 = 600
  /// Seconds without a byte in the middle of an answer.
  public var silenceTimeoutSeconds: Int64 = 300
  /// Seconds that an idle upstream connection is kept.
  public var upstreamIdleSeconds: Int64 = 30
  /// The most idle connections kept per event loop and upstream.
  public var upstreamIdleMax = 64
  /// Seconds after which a resolved address is looked up again, off the event loops.
  public var addressLifetimeSeconds: Int64 = 30

  /// When a caller leaves, the rest of its answer is read for the usage, up to these bounds.
  public var drainSeconds: Int64 = 30
  public var drainBytesMax = 4 * 1024 * 1024

  /// The most bytes of content that are decoded of one answer in gzip or deflate to read its usage.
  /// A longer one is relayed and charged as estimated.
  public var decodedBytesMax = 32 * 1024 * 1024

  /// The most jobs at providers that are asked after at a time; one app's jobs take half at most.
  public var followedAtATime = 8
  /// Milliseconds before a response in the background is asked after first; the wait doubles.
  public var responsePollMilliseconds: Int64 = 1_000
  /// The longest such wait, in milliseconds.
  public var responsePollMillisecondsMax: Int64 = 60_000

  /// As above, of batches.
  public var batchPollMilliseconds: Int64 = 30_000
  public var batchPollMillisecondsMax: Int64 = 600_000

  /// The most input files of batches that are read at a time; one more batch is refused. Of each
  /// one line is held, of `bodyBytesMax` at the most.
  public var batchInputsAtATime = 4
  /// As above, for one app.
  public var batchInputsPerApp = 2
  /// Seconds that the reading of one may take.
  public var batchInputSeconds: Int64 = 120

  /// The installation's secret for the names of end users: without it their hashes could be guessed
  /// at. Always the same, or a user's purse would be another after a restart.
  public var userHashKey: [UInt8] = []

  /// Seconds that open calls get to end at shutdown.
  public var shutdownGraceSeconds: Int64 = 20

  /// The most samples that wait to be stored; one more is dropped and counted.
  public var sampleQueueMax = 256
  /// The most bytes copied of one answer for a sample; a longer one is dropped and counted.
  public var sampleBytesMax = 512 * 1024

  public init() {}
}

/// An app as the gateway knows it. Its index in the gateway's list is its index in `Admission`.
public struct GatewayApp: Sendable {
  /// Name, budgets, models and alert marks.
  public var policy: AppPolicy
  /// The upstream of a bare `/v1/…` path.
  public var upstream: String
  /// The share of calls to store as samples, 0…1.
  public var sampleRate: Double
  /// Whether a call that ends in an error is stored whatever the rate.
  public var samplesErrors: Bool
  /// Whether e-mail addresses, card numbers and IBANs are taken out of samples too.
  public var hidesPersonalData: Bool

  public init(
    policy: AppPolicy, upstream: String, sampleRate: Double = 0, samplesErrors: Bool = true,
    hidesPersonalData: Bool = false
  ) {
    self.policy = policy
    self.upstream = upstream
    self.sampleRate = sampleRate
    self.samplesErrors = samplesErrors
    self.hidesPersonalData = hidesPersonalData
  }
}

/// A provider's endpoint that calls are relayed to.
public struct GatewayUpstream: Sendable {
  /// The first segment of the gateway's path: `/openai/v1/…`.
  public var name: String
  public var dialect: DialectID
  public var isTLS: Bool
  public var host: String
  public var port: Int
  /// Put before the path of every request: `""` or `/prefix`, without a slash at its end.
  public var pathPrefix: String
  /// Our secret at the provider; nil where it wants none. Never logged.
  public var credential: String?
  /// How requests to it are signed, in place of a credential that is sent; nil: they are not.
  public var signing: UpstreamSigning?
  /// The environment variable that should hold the credential and is not set; nil: none is missing.
  public var missingCredential: String?
  /// The header that carries the credential.
  public var credentialField: CredentialField
  /// PEM file of the authorities to trust in place of the system's; for upstreams inside a house.
  public var trustRootsPath: String?
  /// What its models cost.
  public var prices: PriceBook
  /// Whether it is OpenAI itself, whose models' names tell how they cut text into tokens; any other
  /// server may call any model so.
  public var isOpenAI: Bool
  /// Whether it is a resource of Azure's that serves OpenAI's models, under names of its owner's.
  public var isAzureOpenAI: Bool

  public init(
    name: String, dialect: DialectID, isTLS: Bool, host: String, port: Int,
    pathPrefix: String = "", credential: String? = nil, missingCredential: String? = nil,
    credentialField: CredentialField? = nil, signing: UpstreamSigning? = nil,
    trustRootsPath: String? = nil, prices: PriceBook = PriceBook()
  ) {
    self.name = name
    self.dialect = dialect
    self.isTLS = isTLS
    self.host = host
    self.port = port
    self.pathPrefix = pathPrefix
    self.credential = credential
    self.signing = signing
    self.missingCredential = missingCredential
    self.credentialField = credentialField ?? CredentialField(dialect)
    self.trustRootsPath = trustRootsPath
    self.prices = prices
    isOpenAI = host == "api.openai.com" || host.hasSuffix(".api.openai.com")
    isAzureOpenAI = [".openai.azure.com", ".openai.azure.us"].contains { host.hasSuffix($0) }
  }

  /// Whether calls can be relayed: they are not sent without a credential that is missing.
  public var isUsable: Bool { missingCredential == nil }
}

/// The header in which an upstream takes our credential.
public enum CredentialField: String, Sendable, CaseIterable {
  /// `authorization: Bearer …`
  case bearer = "authorization"
  case xAPIKey = "x-api-key"
  /// Azure's.
  case apiKey = "api-key"
  case xGoogAPIKey = "x-goog-api-key"

  /// What the dialect's own provider takes.
  public init(_ dialect: DialectID) {
    switch dialect {
    case .openai, .bedrock, .ollama: self = .bearer
    case .anthropic: self = .xAPIKey
    case .gemini: self = .xGoogAPIKey
    }
  }
}

extension GatewayUpstream {
  /// Reads a base URL: `https://api.openai.com`, `http://127.0.0.1:8081/prefix`.
  ///
  /// A trailing `/v1` is dropped, since the caller's own path brings it.
  /// - Throws: `GatewayFault.configurationInvalid` with what is wrong.
  public init(
    name: String, dialect: DialectID, baseURL: String, credential: String? = nil,
    missingCredential: String? = nil, credentialField: CredentialField? = nil,
    signing: UpstreamSigning? = nil, trustRootsPath: String? = nil, prices: PriceBook = PriceBook()
  ) throws(GatewayFault) {
    func invalid(_ what: String) -> GatewayFault {
      .configurationInvalid(
        "Upstream '\(name)' has the URL '\(baseURL)': \(what).",
        hint: "Write https://HOST[:PORT][/PREFIX], without a user, a query or a fragment.")
    }
    guard let scheme = baseURL.firstRange(of: "://") else { throw invalid("it names no scheme") }
    let isTLS: Bool
    switch baseURL[..<scheme.lowerBound].lowercased() {
    case "https": isTLS = true
    case "http": isTLS = false
    default: throw invalid("only http and https are spoken")
    }
    var rest = baseURL[scheme.upperBound...]
    guard !rest.contains(where: { "@?# \r\n".contains($0) }) else {
      throw invalid("it holds a character that does not belong there")
    }
    var prefix = ""
    if let slash = rest.firstIndex(of: "/") {
      prefix = String(rest[slash...])
      rest = rest[..<slash]
    }
    while prefix.hasSuffix("/") { prefix.removeLast() }
    if prefix == "/v1" { prefix = "" }
    var host = String(rest)
    var port = isTLS ? 443 : 80
    let afterBracket = rest.lastIndex(of: "]") ?? rest.startIndex
    if let colon = rest[afterBracket...].lastIndex(of: ":") {
      guard let number = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(number)
      else { throw invalid("its port is not a number from 1 to 65535") }
      port = number
      host = String(rest[..<colon])
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard !host.isEmpty else { throw invalid("it names no host") }
    self.init(
      name: name, dialect: dialect, isTLS: isTLS, host: host, port: port, pathPrefix: prefix,
      credential: credential, missingCredential: missingCredential,
      credentialField: credentialField, signing: signing, trustRootsPath: trustRootsPath,
      prices: prices)
  }

  /// - Throws: `GatewayFault.configurationInvalid` where a name or the credential cannot stand in a
  ///   request's head.
  func check() throws(GatewayFault) {
    let isNameFit =
      !name.isEmpty
      && name.utf8.allSatisfy { byte in
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
          || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
          || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
      }
    guard isNameFit, !name.hasPrefix("v1") else {
      throw .configurationInvalid(
        "Upstream '\(name)' has a name that cannot be the first part of a path.",
        hint: "Use a–z, 0–9, '-' and '_', and do not begin with 'v1'.")
    }
    let secretIsFit = credential?.utf8.allSatisfy { 0x21...0x7E ~= $0 } ?? true
    guard secretIsFit, credential?.isEmpty != true else {
      throw .configurationInvalid(
        "The credential of upstream '\(name)' is empty or holds blanks or control characters.",
        hint: "Check the file or the environment variable that it comes from for a line end.")
    }
  }

  /// The value of `credentialField` in a request to this upstream; nil where it wants none.
  var credentialValue: String? {
    credential.map { credentialField == .bearer ? "Bearer " + $0 : $0 }
  }

  /// The `host` header of a request to this upstream.
  var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
  }
}
