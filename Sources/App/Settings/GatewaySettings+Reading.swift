// Reads thresholds/gateway.yaml into its values. Every key is optional but `upstreams`.

import Foundation
import Providers

extension GatewaySettings {
  private static let days: ClosedRange<Int64> = 1...3_650
  private static let seconds: ClosedRange<Int64> = 1...86_400
  private static let adminSecretBytesMin = 32

  /// Reads what the file says over the defaults.
  ///
  /// - Parameter books: the price books that there are.
  mutating func read(_ root: SettingsMapping, environment: [String: String], books: [String]) {
    root.section("listen") { Self.read(into: &listen, $0) }
    root.section("admin") { section in
      Self.read(into: &admin, section)
      if let url = section.take("url")?.webURL() { adminURL = url }
      if let node = section.take("secretEnv"), let variable = node.environmentName() {
        adminSecret = node.secret(variable, environment: environment)
        if let count = adminSecret?.value.utf8.count, count < Self.adminSecretBytesMin {
          node.fault(
            "the environment variable \(variable) holds a secret of \(count) characters",
            "take at least \(Self.adminSecretBytesMin), as of: openssl rand -hex 32")
        }
      }
    }
    root.section("tls") { section in
      let certificate = section.need("certificate", "name the PEM file of the chain")?.filePath()
      let key = section.need("key", "name the PEM file of the private key")?.filePath()
      if let certificate, let key { tls = TLS(certificate: certificate, key: key) }
    }
    if let path = root.take("store")?.line("a path") { storePath = path }
    root.section("journal") { section in
      if let path = section.take("directory")?.line("a path") { journalDirectory = path }
      if let sync = section.take("syncMilliseconds")?.integer(in: 0...10_000) {
        journalSyncMilliseconds = sync
      }
    }
    if let path = root.take("reports")?.line("a path") { reportsDirectory = path }
    readUpstreams(root, environment: environment, books: books)
    readBounds(root)
    root.section("samples") { section in
      if let days = section.take("ageDays")?.integer(in: Self.days) { samples.ageDays = days }
      if let bytes = section.take("bytesMax")?.bytes(in: (1 << 20)...(1 << 50)) {
        samples.bytesMax = bytes
      }
    }
    readMail(root, environment: environment)
    root.section("analyzer") { section in
      if let hour = section.take("hour")?.integer(in: 0...23) { analyzer.hour = Int(hour) }
      if let minute = section.take("minute")?.integer(in: 0...59) {
        analyzer.minute = Int(minute)
      }
      if let zone = section.take("timeZone")?.timeZone() { analyzer.timeZone = zone.identifier }
    }
    root.section("drift") { section in
      if let days = section.take("falseAlarmDays")?.decimal(in: 1...36_500) {
        falseAlarmDays = days
      }
    }
    if let count = root.take("eventLoops")?.integer(in: 1...1_024) { eventLoops = Int(count) }
    root.finish()
  }

  private static func read(into listen: inout ListenSettings, _ section: SettingsMapping) {
    if let host = section.take("host")?.line("a host or address") { listen.host = host }
    if let port = section.take("port")?.integer(in: 0...65_535) { listen.port = Int(port) }
  }

  private mutating func readBounds(_ root: SettingsMapping) {
    root.section("bounds") { section in
      if let bytes = section.take("bodyBytesMax")?.bytes(in: 1_024...(1 << 30)) {
        bounds.bodyBytesMax = Int(bytes)
      }
      if let bytes = section.take("headBytesMax")?.bytes(in: 1_024...(1 << 20)) {
        bounds.headBytesMax = Int(bytes)
      }
      if let count = section.take("connectionsMax")?.integer(in: 1...1_000_000) {
        bounds.connectionsMax = Int(count)
      }
    }
    root.section("timeouts") { section in
      let fields: [(String, WritableKeyPath<Timeouts, Int64>)] = [
        ("connectSeconds", \.connectSeconds), ("firstByteSeconds", \.firstByteSeconds),
        ("silenceSeconds", \.silenceSeconds), ("headSeconds", \.headSeconds),
        ("bodySeconds", \.bodySeconds), ("idleSeconds", \.idleSeconds),
        ("shutdownSeconds", \.shutdownSeconds),
      ]
      for (key, field) in fields {
        if let value = section.take(key)?.integer(in: Self.seconds) {
          timeouts[keyPath: field] = value
        }
      }
    }
    root.section("drain") { section in
      if let value = section.take("seconds")?.integer(in: 0...3_600) { drain.seconds = value }
      if let bytes = section.take("bytesMax")?.bytes(in: 0...(1 << 30)) {
        drain.bytesMax = Int(bytes)
      }
    }
  }

  private mutating func readUpstreams(
    _ root: SettingsMapping, environment: [String: String], books: [String]
  ) {
    let advice = "name at least one, as in `openai: { dialect: openai, url: https://… }`"
    guard let section = root.need("upstreams", advice)?.mapping() else { return }
    let entries = section.entries()
    if entries.isEmpty { section.node.fault("'upstreams' names none", advice) }
    for (name, key, value) in entries {
      guard SettingsName.isValid(name) else {
        key.fault("upstream name '\(key.shown(name))' cannot stand in a URL", SettingsName.advice)
        continue
      }
      if SettingsName.ownPaths.contains(name) {
        key.fault("upstream name '\(name)' is also a path of the gateway", "choose another name")
        continue
      }
      guard let mapping = value.mapping() else { continue }
      let upstream = Self.upstream(name, mapping, environment: environment, books: books)
      mapping.finish()
      if let upstream { upstreams.append(upstream) }
    }
  }

  private static func upstream(
    _ name: String, _ section: SettingsMapping, environment: [String: String], books: [String]
  ) -> UpstreamSettings? {
    let dialects = DialectID.allCases.map(\.rawValue)
    let dialect = section.need("dialect", "one of \(dialects.joined(separator: ", "))")?
      .word(dialects).flatMap(DialectID.init(rawValue:))
    let isRehearsal = section.take("rehearsal")?.flag() ?? false
    let variable = section.take("credentialEnv")?.environmentName()
    var signing: SigningSettings?
    section.section("sign") { signing = SigningSettings($0, environment: environment) }
    if section.has("sign"), dialect != .bedrock || variable != nil || isRehearsal {
      section.node.fault(
        "upstream '\(name)' signs its requests, and is not AWS's or has a credential beside it",
        "'sign' stands with `dialect: bedrock`, without 'credentialEnv' and 'rehearsal'")
    }
    let trustRoots = section.take("trustRoots")?.filePath()
    let prices =
      section.take("prices")?.priceBooks(among: books)
      ?? UpstreamPrices.defaults(upstream: name, dialect: dialect ?? .openai, among: books)
    var url: String? = ""
    if isRehearsal {
      if let given = section.take("url") {
        given.fault("the rehearsal upstream '\(name)' has a URL", "remove 'url' or 'rehearsal'")
      }
    } else {
      url = section.need("url", "its base URL, as in https://api.openai.com")?.webURL()
    }
    let credential = variable.flatMap { section.node.secret($0, environment: environment) }
    // The name stays known where only its details are faulty, so that apps that use it are not
    // faulted as well; settings with faults are never used.
    return UpstreamSettings(
      name: name, dialect: dialect ?? .openai, url: url ?? "", credentialEnv: variable,
      credential: credential, signing: signing, isRehearsal: isRehearsal, trustRoots: trustRoots,
      prices: prices)
  }

  private mutating func readMail(_ root: SettingsMapping, environment: [String: String]) {
    root.section("mail") { section in
      let url = section.need("smtpURL", "as in smtps://mail.example.com:465")?
        .webURL(schemes: ["smtp", "smtps"])
      let from = section.need("from", "the sender's address")?.emailAddress()
      let username = section.take("usernameEnv")?.environmentName()
        .flatMap { section.node.secret($0, environment: environment) }
      let password = section.take("passwordEnv")?.environmentName()
        .flatMap { section.node.secret($0, environment: environment) }
      if let url, let from {
        mail = MailSettings(smtpURL: url, from: from, username: username, password: password)
      }
    }
  }
}
