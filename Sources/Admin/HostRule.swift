// Which names the admin port answers to.
//
// A page on the open web can let its own name resolve to 127.0.0.1 and read what a browser on this
// machine may read (DNS rebinding). The browser then sends that page's name as Host, so only names
// that are ours are answered. An address cannot be rebound, and a caller without Host is no
// browser.

/// The Host values that are answered.
struct HostRule: Sendable {
  private let names: Set<String>

  /// - Parameter hosts: names besides `localhost` and addresses; case does not matter.
  init(hosts: [String]) {
    names = Set(hosts.map { Self.name(of: $0.lowercased()) }).union(["localhost"])
  }

  func allows(_ host: String?) -> Bool {
    guard let host, !host.isEmpty else { return true }
    let name = Self.name(of: host.lowercased())
    return names.contains(name) || name.hasSuffix(".localhost") || Self.isAddress(name)
  }

  /// Without port and the brackets of IPv6.
  private static func name(of host: String) -> String {
    if host.hasPrefix("[") {
      return String(host.prefix { $0 != "]" }) + "]"
    }
    var name = host.prefix { $0 != ":" }
    if name.hasSuffix(".") { name.removeLast() }
    return String(name)
  }

  private static func isAddress(_ name: String) -> Bool {
    if name.hasPrefix("["), name.hasSuffix("]") { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil && $0.allSatisfy(\.isNumber) }
  }
}
