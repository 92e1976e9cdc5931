// Values with a meaning of their own: URLs, addresses, time zones, names of files and variables.
// What may hold a secret (URLs, variables' values) is never echoed in a fault.

import Foundation
import Metering

/// Names that the author chooses for apps and upstreams.
enum SettingsName {
  /// First path segments that are the gateway's own.
  static let ownPaths: Set<String> = ["v1", "health", "ready", "metrics"]

  static let advice =
    "use 1 to 64 of a-z, 0-9, '-', '_' and '.', beginning with a letter or a digit"

  static func isValid(_ name: String) -> Bool {
    guard (1...64).contains(name.utf8.count), let first = name.utf8.first else { return false }
    func isPlain(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    return isPlain(first)
      && name.utf8.allSatisfy { isPlain($0) || "-_.".utf8.contains($0) }
  }
}

extension SettingsNode {
  /// A name that the author chooses: it stands in counters' keys and metric labels.
  func settingsName(_ what: String) -> String? {
    guard let text = line("a name") else { return nil }
    guard SettingsName.isValid(text) else {
      fault("\(what) name '\(shown(text))' cannot be used", SettingsName.advice)
      return nil
    }
    return text
  }

  /// A day, `2026-11-23`.
  ///
  /// - Parameter what: as it is called to people.
  func day(_ what: String = "a day") -> CivilDate? {
    guard let text = text(what) else { return nil }
    if let day = CivilDate(text) { return day }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let isShaped = parts.map(\.count) == [4, 2, 2] && parts.allSatisfy { Int($0) != nil }
    fault(
      "'\(name)' is '\(shown(text))', \(isShaped ? "\(what) that does not exist" : "not \(what)")",
      "write YYYY-MM-DD")
    return nil
  }

  /// An absolute URL without user, query or fragment.
  func webURL(schemes: [String] = ["http", "https"], allowsQuery: Bool = false) -> String? {
    guard let text = line("a URL") else { return nil }
    let advice = "write \(schemes.joined(separator: ":// or "))://HOST[:PORT][/PATH]"
    guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty else {
      fault("'\(name)' is not a URL", advice)
      return nil
    }
    guard let scheme = parts.scheme, schemes.contains(scheme.lowercased()) else {
      fault("'\(name)' has a scheme that is not spoken here", advice)
      return nil
    }
    guard parts.user == nil, parts.password == nil else {
      fault("'\(name)' holds a user or a password", "put the secret into an environment variable")
      return nil
    }
    guard allowsQuery || parts.query == nil, parts.fragment == nil else {
      fault("'\(name)' holds a query or a fragment", advice)
      return nil
    }
    if let port = parts.port, !(1...65_535).contains(port) {
      fault("'\(name)' has the port \(port)", "write a port from 1 to 65535")
      return nil
    }
    return text
  }

  func emailAddress() -> String? {
    guard let text = line("an e-mail address") else { return nil }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    let hasOddity = text.contains { $0.isWhitespace || "<>,;\"".contains($0) }
    guard parts.count == 2, !hasOddity, parts.allSatisfy({ !$0.isEmpty }) else {
      fault("'\(name)' is '\(shown(text))', not an e-mail address", "write NAME@HOST")
      return nil
    }
    return text
  }

  func timeZone() -> TimeZone? {
    guard let text = line("a time zone") else { return nil }
    // Foundation takes abbreviations too, which do not say when their clocks change.
    guard text == "UTC" || text.contains("/"), let zone = TimeZone(identifier: text) else {
      fault(
        "'\(name)' is '\(shown(text))', not a time zone",
        "write an IANA name, as in Europe/Berlin or UTC")
      return nil
    }
    return zone
  }

  /// A file that must be there when Leeway starts.
  func filePath() -> String? {
    guard let text = line("a path") else { return nil }
    guard FileManager.default.isReadableFile(atPath: text) else {
      fault(
        "'\(name)' names '\(shown(text))', which cannot be read",
        "check the path (it is relative to where leeway starts) and its permissions")
      return nil
    }
    return text
  }

  /// The name of an environment variable. Somebody who writes the secret itself here is told so,
  /// without an echo.
  func environmentName() -> String? {
    guard let text = line("the name of an environment variable") else { return nil }
    let isName = text.utf8.allSatisfy {
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
    }
    guard isName else {
      fault(
        "'\(name)' is not the name of an environment variable",
        "write a NAME of A-Z, 0-9 and '_', never the secret itself")
      return nil
    }
    return text
  }

  /// A variable's value; nil where it is unset or empty. One that could break a header is a fault.
  func secret(_ variable: String, environment: [String: String]) -> Secret? {
    guard let value = environment[variable], !value.isEmpty else { return nil }
    guard value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      fault(
        "the environment variable \(variable) holds a space or another character that no header "
          + "can carry",
        "set it again; a line break at its end is the usual cause")
      return nil
    }
    return Secret(value)
  }
}
