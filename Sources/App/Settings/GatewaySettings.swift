// What thresholds/gateway.yaml says: where Leeway listens, what it relays to, and its bounds.
// Plain values with defaults; GatewaySettings+Reading.swift fills them.

import Providers

/// A secret taken from the environment. It prints as dots, so that no log can hold it by accident.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  public let value: String

  public init(_ value: String) { self.value = value }

  public var description: String { "•••" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A host and a port to listen on.
public struct ListenSettings: Hashable, Sendable {
  public var host: String
  /// 0 picks a free one.
  public var port: Int

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }
}

/// A provider's endpoint.
public struct UpstreamSettings: Hashable, Sendable {
  public var name: String
  public var dialect: DialectID
  /// The base URL, checked; empty for the built-in rehearsal upstream, which App starts.
  public var url: String
  /// The environment variable that holds our credential; nil where the provider wants none.
  public var credentialEnv: String?
  /// The variable's value; nil where it is unset.
  public var credential: Secret?
  /// How requests are signed, in place of a credential that is sent; nil: they are not.
  public var signing: SigningSettings?
  /// Answered from recorded bodies by Leeway itself.
  public var isRehearsal: Bool
  /// PEM file of the authorities to trust in place of the system's.
  public var trustRoots: String?
  /// The price books that are asked for its models, in order: `NAME`, or `NAME/PART`.
  public var prices: [String] = []

  /// The environment variable that should hold our credential and is not set; nil: none is missing.
  public var missingCredential: String? {
    credential == nil ? credentialEnv ?? signing?.missing : nil
  }

  /// Whether a call can be relayed: it needs no credential, or has one.
  public var isUsable: Bool { missingCredential == nil }
}

/// Sending alerts by mail.
public struct MailSettings: Hashable, Sendable {
  /// `smtp://HOST:PORT` (with STARTTLS where offered) or `smtps://HOST:PORT`.
  public var smtpURL: String
  public var from: String
  public var username: Secret?
  public var password: Secret?
}

/// When the analyzer's night run starts.
public struct AnalyzerSettings: Hashable, Sendable {
  /// 0…23 and 0…59, in `timeZone`.
  public var hour = 3
  public var minute = 15
  /// An IANA name.
  public var timeZone = "UTC"
}

/// thresholds/gateway.yaml.
public struct GatewaySettings: Sendable {
  public struct TLS: Hashable, Sendable {
    /// PEM files.
    public var certificate: String
    public var key: String
  }

  public struct Bounds: Hashable, Sendable {
    public var bodyBytesMax = 16 << 20
    public var headBytesMax = 32 << 10
    public var connectionsMax = 4_096
  }

  public struct Timeouts: Hashable, Sendable {
    /// To connect to an upstream, its TLS handshake included.
    public var connectSeconds: Int64 = 10
    /// From the request's last byte to the answer's first.
    public var firstByteSeconds: Int64 = 600
    /// Without a byte in the middle of an answer.
    public var silenceSeconds: Int64 = 300
    /// From a request's first byte to the end of its head.
    public var headSeconds: Int64 = 15
    /// From the end of a request's head to the end of its body.
    public var bodySeconds: Int64 = 60
    /// Between two requests of one connection.
    public var idleSeconds: Int64 = 75
    /// For open calls to end at shutdown.
    public var shutdownSeconds: Int64 = 20
  }

  public struct Drain: Hashable, Sendable {
    public var seconds: Int64 = 30
    public var bytesMax = 4 << 20
  }

  public struct SampleStorage: Hashable, Sendable {
    public var ageDays: Int64 = 30
    public var bytesMax: Int64 = 2 << 30
  }

  public var listen = ListenSettings(host: "127.0.0.1", port: 8484)
  public var admin = ListenSettings(host: "127.0.0.1", port: 8485)
  /// Where people reach the admin port, for links in alerts; nil: made of host and port.
  public var adminURL: String?
  /// Signs calls to the admin port that change something; nil: it takes none.
  public var adminSecret: Secret?
  public var tls: TLS?
  public var storePath = "samples/leeway.sqlite"
  public var journalDirectory = "samples/journal"
  /// What a loss of power may cost, in milliseconds of calls; 0 syncs before every forwarding.
  public var journalSyncMilliseconds: Int64 = 20
  public var reportsDirectory = "reports"
  /// In the file's order.
  public var upstreams: [UpstreamSettings] = []
  public var bounds = Bounds()
  public var timeouts = Timeouts()
  public var drain = Drain()
  public var samples = SampleStorage()
  public var mail: MailSettings?
  public var analyzer = AnalyzerSettings()
  /// The continuous alarms of all apps together raise at most one false alarm in so many days, on
  /// average.
  public var falseAlarmDays = 90.0
  /// Event loops; nil: one per core.
  public var eventLoops: Int?

  public init() {}

  public func upstream(_ name: String) -> UpstreamSettings? {
    upstreams.first { $0.name == name }
  }
}
