// The budgets of one scope as thresholds/ says them: by window, and in each window by unit.
//
//   budgets:
//     minute: { calls: 60 }
//     day: "5.00"
//     month: { usd: "50.00", tokens: 20000000 }
//     last 24h: "6.00"
//     purse: { usd: "100.00", from: 2026-11-01, until: 2026-12-31, name: trial }

import Analyzer
import Foundation
import Metering

/// A budget's window by its key; the shortest first, since it is the first to refuse.
enum BudgetKey: Hashable, Comparable {
  case minute
  case span(BudgetSpan)
  case rolling(minutes: Int64)
  case purse

  static let hour: Int64 = 60
  static let day: Int64 = 24 * hour
  /// Slices are kept for a month.
  static let rollingMinutesMax = RollingWindow.minutesMax

  /// Unique in its scope, and part of its counters' keys.
  var id: String {
    switch self {
    case .minute: "minute"
    case .span(let span): span.rawValue
    case .purse: "purse"
    case .rolling(let minutes):
      // One name for one length, however it is written.
      if minutes % Self.day == 0, minutes > Self.day {
        "\(RollingWindow.idPrefix)\(minutes / Self.day)d"
      } else if minutes % Self.hour == 0 {
        "\(RollingWindow.idPrefix)\(minutes / Self.hour)h"
      } else {
        "\(RollingWindow.idPrefix)\(minutes)m"
      }
    }
  }

  /// Nil: no budget is called so.
  init?(_ key: String) {
    if key == "minute" {
      self = .minute
    } else if key == "purse" {
      self = .purse
    } else if let span = BudgetSpan(rawValue: key) {
      self = .span(span)
    } else if key.hasPrefix(RollingWindow.idPrefix),
      let minutes = Self.minutes(key.dropFirst(RollingWindow.idPrefix.count))
    {
      self = .rolling(minutes: minutes)
    } else {
      return nil
    }
  }

  private static func minutes(_ text: Substring) -> Int64? {
    let units: [Character: Int64] = ["m": 1, "h": hour, "d": day]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
      (1...rollingMinutesMax / unit).contains(count)
    else { return nil }
    return count * unit
  }

  /// About how many minutes it lasts, for the order.
  private var minutes: Int64 {
    switch self {
    case .minute: 1
    case .span(.hour): Self.hour
    case .span(.day): Self.day
    case .span(.week): 7 * Self.day
    case .span(.month): 30 * Self.day
    case .span(.year): 365 * Self.day
    case .rolling(let minutes): minutes
    case .purse: .max
    }
  }

  static func < (left: BudgetKey, right: BudgetKey) -> Bool {
    (left.minutes, left.id) < (right.minutes, right.id)
  }
}

/// The caps of one scope, and the life of its purse.
struct BudgetSettings: Hashable, Sendable {
  var caps: [BudgetKey: BudgetCaps] = [:]
  /// Of those windows that say it themselves.
  var atCap: [BudgetKey: AtCap] = [:]
  /// The first and the last day that the purse is open; nil: without an end of that side.
  var purseFrom: CivilDate?
  var purseUntil: CivilDate?
  /// Tells one purse from the next; may be empty.
  var purseName = ""

  var isEmpty: Bool { caps.isEmpty }

  /// For admission.
  func budgets(
    _ holder: BudgetHolder, _ timelines: WindowTimelines, timeZone: TimeZone,
    alertPercents: [Int]? = nil, atCap usual: AtCap
  ) -> [Budget] {
    caps.sorted { $0.key < $1.key }.map { key, caps in
      Budget(
        holder, id: key.id, caps: caps, windows: windows(of: key, timelines, timeZone),
        alertPercents: alertPercents, atCap: atCap[key] ?? usual)
    }
  }

  private func windows(
    of key: BudgetKey, _ timelines: WindowTimelines, _ timeZone: TimeZone
  ) -> BudgetWindows {
    switch key {
    case .minute: .minutes
    case .span(let span): .calendar(timelines.windows(of: span, in: timeZone))
    case .rolling(let minutes): .rolling(RollingWindow(minutes: minutes))
    case .purse: .purse(purse(in: timeZone))
    }
  }

  private func purse(in timeZone: TimeZone) -> WindowEdges {
    let end = purseUntil?.adding(days: 1).start(in: timeZone)
    return WindowEdges(
      start: purseFrom?.start(in: timeZone) ?? Timestamp(milliseconds: .min),
      end: end ?? Timestamp(milliseconds: .max),
      // A word before the name: it is never taken for a date.
      id: purseName.isEmpty ? "purse" : "purse \(purseName)",
      endText: end.map { WindowTimeline.text(of: $0, timeZone) } ?? "")
  }
}

extension BudgetSettings {
  /// Reads the caps over those that are there, window by window and unit by unit: what is not said
  /// is inherited, `none` takes away.
  mutating func read(_ node: SettingsNode) {
    if node.isNone {
      self = BudgetSettings()
      return
    }
    guard let section = node.mapping() else { return }
    for (name, value) in section.take(withPrefix: RollingWindow.idPrefix) {
      if let key = BudgetKey(name) {
        read(value, key)
      } else {
        value.fault(
          "'\(value.name)' is no length of time",
          "write `last N` with m, h or d, as in `last 90m` or `last 24h`, up to 31d")
      }
    }
    let keys = [BudgetKey.minute] + BudgetSpan.allCases.map { .span($0) } + [.purse]
    for key in keys {
      if let value = section.take(key.id) { read(value, key) }
    }
    section.finish()
  }

  private mutating func read(_ node: SettingsNode, _ key: BudgetKey) {
    if node.isNone {
      caps[key] = nil
      return
    }
    var cap = caps[key] ?? BudgetCaps()
    if case .mapping = node.node {
      guard let section = node.mapping() else { return }
      cap.read(section)
      if let atCap = section.take("atCap")?.atCap() { self.atCap[key] = atCap }
      if key == .purse { readPurse(section) }
      section.finish()
    } else if let money = node.money() {
      cap.money = money
    }
    caps[key] = cap.isEmpty ? nil : cap
  }

  private mutating func readPurse(_ section: SettingsMapping) {
    if let date = section.take("from")?.day("a date") { purseFrom = date }
    let until = section.take("until")
    if let date = until?.day("a date") { purseUntil = date }
    if let from = purseFrom, let last = purseUntil, last < from {
      until?.fault("the purse ends (\(last)) before it opens (\(from))", "put the dates right")
    }
    if let name = section.take("name")?.settingsName("purse") { purseName = name }
  }
}

extension BudgetCaps {
  /// The units of a window.
  fileprivate mutating func read(_ section: SettingsMapping) {
    if let node = section.take("usd") { money = node.isNone ? nil : node.money() ?? money }
    if let node = section.take("tokens") {
      tokens = node.isNone ? nil : node.integer(in: 1...Int64.max / 2) ?? tokens
    }
    if let node = section.take("calls") {
      calls = node.isNone ? nil : node.integer(in: 1...Int64.max / 2) ?? calls
    }
  }
}

extension SettingsNode {
  var isNone: Bool {
    if case .scalar(let scalar) = node { scalar.string == "none" } else { false }
  }
}
