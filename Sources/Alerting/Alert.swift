// An alert as a value: what is the matter, for whom, and the identity that keeps it to once.
//
// The identity is made of what the alert is about, never of when it was noticed: a restart or a
// second process that notices the same thing makes the same alert, and the outbox drops it.

/// What makes an alert this one and no other: `budget/support/day/2026-11-23/80`.
public struct AlertKey: Hashable, Sendable, CustomStringConvertible {
  /// Its parts joined by `/`; a `/` or `%` inside a part is percent-encoded.
  public let text: String

  /// A key read back from storage.
  public init(text: String) { self.text = text }

  public init(kind: AlertKind, _ parts: [String]) {
    text = ([kind.rawValue] + parts.map(Self.encoded)).joined(separator: "/")
  }

  public var description: String { text }

  /// Keeps two different lists of parts from making one key.
  private static func encoded(_ part: String) -> String {
    var text = ""
    for character in part {
      switch character {
      case "/": text += "%2F"
      case "%": text += "%25"
      default: text.append(character)
      }
    }
    return text
  }
}

/// What an alert is about.
public enum AlertKind: String, Hashable, Sendable, CaseIterable {
  case budget, drift, system
}

/// How soon a person should look.
public enum AlertSeverity: String, Hashable, Sendable, CaseIterable, Comparable {
  /// Good to know.
  case notice
  /// Look today.
  case warning
  /// Calls are refused, or answers have changed: look now.
  case critical

  private var rank: Int {
    switch self {
    case .notice: 0
    case .warning: 1
    case .critical: 2
    }
  }

  public static func < (left: AlertSeverity, right: AlertSeverity) -> Bool {
    left.rank < right.rank
  }
}

/// One alert.
public struct Alert: Hashable, Sendable {
  public var key: AlertKey
  /// Empty for alerts of Leeway itself.
  public var app: String
  public var kind: AlertKind
  public var severity: AlertSeverity
  /// One line, fit for a subject.
  public var title: String
  /// Plain text, lines broken by `\n`.
  public var body: String
  /// Where to read more; nil where there is no such place.
  public var link: String?
  /// Particulars for machines, in the order of the payload.
  public var fields: [AlertField]
  /// When it was raised, in milliseconds since 1970.
  public var atMilliseconds: Int64

  public init(
    key: AlertKey, app: String, kind: AlertKind, severity: AlertSeverity, title: String,
    body: String, link: String? = nil, fields: [AlertField] = [], atMilliseconds: Int64
  ) {
    self.key = key
    self.app = app
    self.kind = kind
    self.severity = severity
    self.title = Self.oneLine(title)
    self.body = body
    self.link = link
    self.fields = fields
    self.atMilliseconds = atMilliseconds
  }

  /// A title becomes a mail's subject: a line break in it could forge a header.
  private static func oneLine(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
  }
}
