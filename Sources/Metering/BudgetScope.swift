// Whose calls a budget adds up. One text, so that a counter's key stays short in the journal.

/// What a counter belongs to: an app, its team, one of its keys …
public struct BudgetScope: Hashable, Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case organisation, team, app
    // The rest are parts of an app, named `APP/PART`.
    case environment, key, model, user, tag

    /// Which ones there are shows only by calls.
    var isFoundByCall: Bool {
      switch self {
      case .key, .model, .user: true
      case .organisation, .team, .app, .environment, .tag: false
      }
    }
  }

  /// `team:search`, `key:shop/7`. An app's is its bare name, as it stands in journals from before
  /// there were other scopes; no app's name has a colon.
  public let text: String

  /// - Parameter text: as `text` gave it; any other is taken for an app's name.
  public init(text: String) { self.text = text }

  public static func app(_ name: String) -> BudgetScope { BudgetScope(text: name) }
  public static func team(_ name: String) -> BudgetScope { BudgetScope(.team, name) }
  public static func organisation(_ name: String) -> BudgetScope {
    BudgetScope(.organisation, name)
  }

  /// A part of an app: `environment:shop/demo`, `key:shop/7`, `model:shop/gpt-4o`.
  public static func part(_ kind: Kind, of app: String, _ name: String) -> BudgetScope {
    BudgetScope(kind, "\(app)/\(name)")
  }

  private init(_ kind: Kind, _ name: String) { text = "\(kind.rawValue):\(name)" }

  public var kind: Kind { split.kind }

  /// The part's own name where it is a part of an app: `7` of `key:shop/7`; else the whole name.
  public var name: String {
    let (kind, name) = split
    guard Self.isPart(kind), let slash = name.firstIndex(of: "/") else { return String(name) }
    return String(name[name.index(after: slash)...])
  }

  /// Who answers for it and hears its alerts: the app that it is a part of, else itself.
  public var holder: BudgetScope {
    let (kind, name) = split
    guard Self.isPart(kind), let slash = name.firstIndex(of: "/") else { return self }
    return .app(String(name[..<slash]))
  }

  /// What a budget of it is looked up by: all keys, users and models of an app have one.
  var family: String {
    kind.isFoundByCall ? "\(kind.rawValue):\(holder.text)" : text
  }

  private var split: (kind: Kind, name: Substring) {
    guard let colon = text.firstIndex(of: ":"),
      let kind = Kind(rawValue: String(text[..<colon])), kind != .app
    else { return (.app, text[...]) }
    return (kind, text[text.index(after: colon)...])
  }

  private static func isPart(_ kind: Kind) -> Bool {
    switch kind {
    case .organisation, .team, .app: false
    case .environment, .key, .model, .user, .tag: true
    }
  }

  /// For who made the call: `this app`, `team 'search'`. A user is not named: that is the app's
  /// business.
  public var words: String {
    switch kind {
    case .app: "this app"
    case .organisation, .team: "\(kind.rawValue) '\(name)'"
    case .environment, .model, .tag: "\(kind.rawValue) '\(name)' of this app"
    case .key: "this key"
    case .user: name == BudgetScope.nobody ? "calls that name no user" : "this user"
    }
  }

  /// The name of the user of calls that name none: they share one purse.
  public static let nobody = "none"
}

extension BudgetScope: Codable {
  public init(from decoder: any Decoder) throws {
    text = try decoder.singleValueContainer().decode(String.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

/// Which calls of an app a budget adds up together.
public enum BudgetHolder: Hashable, Sendable {
  /// All calls of the app.
  case app
  /// All calls of every app that shares the scope: a team, the organisation.
  case shared(BudgetScope)
  /// Those of keys that were issued for this environment.
  case environment(String)
  /// Those that carry a tag: its place in `AppPolicy.tags`.
  case tag(Int)
  /// Each key, user or model has a counter of its own.
  case eachKey, eachUser, eachModel

  /// The scope, where it is known before a call is made.
  public func scope(in policy: AppPolicy) -> BudgetScope? {
    switch self {
    case .app: .app(policy.app)
    case .shared(let scope): scope
    case .environment(let name): .part(.environment, of: policy.app, name)
    case .tag(let place): .part(.tag, of: policy.app, policy.tags[place])
    case .eachKey, .eachUser, .eachModel: nil
    }
  }
}

/// The tags of a call, as places in `AppPolicy.tags`: only declared ones can be said.
public struct TagSet: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// - Parameter place: 0…63.
  public init(place: Int) { rawValue = 1 << UInt64(place) }
  /// As many as can be declared.
  public static let countMax = 64
}
