// When a shift of an app's labels counts as drift, and what follows from it.

/// An app's drift policy.
public struct DriftSettings: Hashable, Sendable {
  /// The smallest change of a label's share that matters: max(floor, min(relative × share,
  /// ceiling)).
  public struct MinimumShift: Hashable, Sendable {
    /// Shares, 0…1: 0.01 is one percentage point.
    public var floor = 0.01
    public var relative = 0.5
    public var ceiling = 0.05
  }

  public enum OnDrift: String, Hashable, Sendable, CaseIterable {
    /// Tell the owner.
    case alert
    /// Tell the owner and stop the app until somebody restores it.
    case cap
  }

  /// The pinned baseline to compare with; nil: no night run for this app.
  public var baseline: String?
  /// Which samples count, each `model=…`, `origin=…`, `status=…` or `tag.NAME=…`; all must hold.
  public var filters: [String] = []
  public var minimumShift = MinimumShift()
  /// By classifier, the labels that must be resolvable; where none is named, all are.
  public var critical: [String: [String]] = [:]
  /// The share of false discoveries to accept over a night's tests, 0…1 (Benjamini–Hochberg's q).
  public var familyRate = 0.05
  /// The least share of outputs that must be readable, 0…1.
  public var coverageMin = 0.95
  public var onDrift = OnDrift.alert

  public init() {}
}

extension DriftSettings {
  private static let filterKeys = ["model", "origin", "status"]

  /// Reads what the section says over the values that are there.
  mutating func read(_ section: SettingsMapping) {
    if let node = section.take("baseline"), let name = node.line("a baseline's name") {
      if SettingsName.isValid(name) {
        baseline = name
      } else {
        node.fault("baseline name '\(node.shown(name))' cannot be used", SettingsName.advice)
      }
    }
    if let node = section.take("where") { filters = node.list().compactMap(Self.filter) }
    section.section("minimumShift") { shift in
      if let share = shift.take("floor")?.decimal(in: 0.0001...1) { minimumShift.floor = share }
      if let share = shift.take("relative")?.decimal(in: 0.01...100) {
        minimumShift.relative = share
      }
      if let share = shift.take("ceiling")?.decimal(in: 0.0001...1) {
        minimumShift.ceiling = share
      }
      if minimumShift.floor > minimumShift.ceiling {
        shift.node.fault(
          "minimumShift.floor (\(minimumShift.floor)) is above its ceiling "
            + "(\(minimumShift.ceiling))", "swap them, or change one")
      }
    }
    if let named = section.take("critical")?.mapping() {
      critical = [:]
      for (name, _, value) in named.entries() {
        critical[name] = value.list().compactMap { $0.line("a label") }
      }
    }
    if let rate = section.take("familyRate")?.decimal(in: 0.0001...0.5) { familyRate = rate }
    if let share = section.take("coverageMin")?.decimal(in: 0...1) { coverageMin = share }
    if let word = section.take("onDrift")?.word(OnDrift.allCases.map(\.rawValue)) {
      onDrift = OnDrift(rawValue: word) ?? .alert
    }
  }

  private static func filter(_ node: SettingsNode) -> String? {
    guard let text = node.line("a filter such as model=NAME") else { return nil }
    let parts = text.split(separator: "=", maxSplits: 1)
    guard parts.count == 2 else {
      node.fault("'\(node.shown(text))' is no filter", "write it as model=NAME")
      return nil
    }
    let key = String(parts[0])
    let isTag = key.hasPrefix("tag.") && key.count > 4
    guard isTag || filterKeys.contains(key) else {
      node.fault(
        "samples cannot be chosen by '\(node.shown(key))'",
        NearestName.advice(for: key, among: filterKeys + ["tag.NAME"]))
      return nil
    }
    return text
  }
}
