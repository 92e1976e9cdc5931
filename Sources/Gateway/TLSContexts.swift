// TLS settings, read once at start: a certificate that cannot be read stops the start, not a call.

import NIOSSL

enum TLSContexts {
  /// The context for callers; nil where the gateway speaks plain HTTP to them.
  /// - Throws: `GatewayFault.certificateUnreadable`.
  static func server(_ files: GatewayConfiguration.TLSFiles?) throws(GatewayFault) -> NIOSSLContext?
  {
    guard let files else { return nil }
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(files.certificateChainPath)
      let key = try NIOSSLPrivateKey(file: files.privateKeyPath, format: .pem)
      var settings = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
      settings.minimumTLSVersion = .tlsv12
      settings.applicationProtocols = ["http/1.1"]
      return try NIOSSLContext(configuration: settings)
    } catch {
      throw GatewayFault(
        code: .certificateUnreadable,
        message: "The certificate chain '\(files.certificateChainPath)' and its key "
          + "'\(files.privateKeyPath)' cannot be used.",
        hint: "Both must be PEM files that the gateway may read, and belong together.",
        cause: "\(error)")
    }
  }

  /// A context for each upstream, by index; nil where it is spoken to in plain HTTP.
  /// - Throws: `GatewayFault.certificateUnreadable`.
  static func client(
    for upstreams: [GatewayUpstream]
  ) throws(GatewayFault) -> [NIOSSLContext?] {
    var contexts: [NIOSSLContext?] = []
    for upstream in upstreams {
      guard upstream.isTLS else {
        contexts.append(nil)
        continue
      }
      var settings = TLSConfiguration.makeClientConfiguration()
      settings.minimumTLSVersion = .tlsv12
      settings.applicationProtocols = ["http/1.1"]
      if let path = upstream.trustRootsPath { settings.trustRoots = .file(path) }
      do { contexts.append(try NIOSSLContext(configuration: settings)) } catch {
        throw GatewayFault(
          code: .certificateUnreadable,
          message: "The trust roots of upstream '\(upstream.name)' cannot be read"
            + (upstream.trustRootsPath.map { " from '\($0)'." } ?? "."),
          hint: "Install the system's certificates (ca-certificates), or name a PEM file.",
          cause: "\(error)")
      }
    }
    return contexts
  }
}
