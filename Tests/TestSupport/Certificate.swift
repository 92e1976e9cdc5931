// A certificate for tests of TLS, made by the openssl command and trusted by nobody.

import Foundation

/// A key and a certificate of its own making for `localhost`, valid for two days.
public struct Certificate: Sendable {
  private let directory: TemporaryDirectory
  public var chain: String { directory.path("cert.pem") }
  public var key: String { directory.path("key.pem") }
  /// Key and certificate in one PEM file.
  public var both: String { directory.path("both.pem") }

  private static let openssl = Command.find("openssl")
  public static let isAvailable = openssl != nil
  public static let skipReason = "the openssl command is not installed"

  struct Failure: Error { var said: String }

  public init() throws {
    directory = try TemporaryDirectory()
    let ending = try Command.run(
      Self.openssl ?? "openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", chain,
      ])
    guard ending.status == 0 else { throw Failure(said: ending.said) }
    let parts = try [key, chain].map { try String(contentsOfFile: $0, encoding: .utf8) }
    try directory.write(parts.joined(), to: "both.pem")
  }
}
