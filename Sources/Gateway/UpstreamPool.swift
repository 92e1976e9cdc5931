// Keep-alive connections to one upstream on one event loop, last in first out.
//
// The connection used last is the least likely to have been closed at the other end, and those at
// the bottom of the stack age out when load falls.

import NIOCore
import NIOPosix
import NIOSSL
import Telemetry

/// The idle connections of one event loop to one upstream, and the way to a new one.
final class UpstreamPool {
  private let loop: any EventLoop
  private let core: GatewayCore
  let upstream: Int
  private var idle: [UpstreamHandler] = []

  init(loop: any EventLoop, core: GatewayCore, upstream: Int) {
    self.loop = loop
    self.core = core
    self.upstream = upstream
  }

  var idleCount: Int { idle.count }

  /// An idle connection, the one used last; nil where there is none.
  func take() -> UpstreamHandler? {
    while let handler = idle.popLast() {
      if handler.isActive { return handler }
    }
    return nil
  }

  /// Takes a connection back that can carry another call.
  func give(_ handler: UpstreamHandler, now: NIODeadline) {
    guard handler.isActive, idle.count < core.configuration.upstreamIdleMax else {
      return handler.close()
    }
    handler.exchange = nil
    handler.hasServed = true
    handler.idleSince = now
    handler.hold(false)
    idle.append(handler)
  }

  /// A connection closed.
  func forget(_ handler: UpstreamHandler) {
    if let index = idle.firstIndex(where: { $0 === handler }) { idle.remove(at: index) }
  }

  /// Closes what has idled too long; all of them where the gateway stops.
  func expire(now: NIODeadline, isStopping: Bool) {
    let oldest = now - .seconds(core.configuration.upstreamIdleSeconds)
    while let first = idle.first, isStopping || first.idleSince < oldest {
      idle.removeFirst()
      first.close()
    }
  }

  /// Connects, trying each address in turn; calls back on this loop, with nil where none took it.
  func connect(
    now: NIODeadline, _ done: @escaping (UpstreamHandler?, UpstreamFailure) -> Void
  ) {
    if let addresses = core.addresses.known(upstream, now: now) {
      return attempt(addresses[...], done)
    }
    core.addresses.resolved(upstream, on: loop).assumeIsolated().whenSuccess { addresses in
      guard !addresses.isEmpty else {
        self.core.metrics.record(.upstreamConnectFailures)
        return done(nil, .nameUnresolved)
      }
      self.attempt(addresses[...], done)
    }
  }

  private func attempt(
    _ addresses: ArraySlice<SocketAddress>,
    _ done: @escaping (UpstreamHandler?, UpstreamFailure) -> Void
  ) {
    guard let address = addresses.first else {
      core.metrics.record(.upstreamConnectFailures)
      core.addresses.suspect(upstream)
      return done(nil, .connectRefused)
    }
    let rest = addresses.dropFirst()
    let settings = core.upstreams[upstream]
    var handler: UpstreamHandler?
    let made = UpstreamHandler(pool: self, isTLS: settings.isTLS) { isReady in
      let ready = handler
      handler = nil
      if isReady, let ready { done(ready, .connectRefused) } else { self.attempt(rest, done) }
    }
    handler = made
    let bound = NIOLoopBound((self, made), eventLoop: loop)
    ClientBootstrap(group: loop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(.seconds(core.configuration.connectTimeoutSeconds))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let (pool, made) = bound.value
          let pipeline = channel.pipeline.syncOperations
          if let tls = pool.core.upstreamTLS[pool.upstream] {
            try pipeline.addHandler(Self.tlsHandler(tls, host: settings.host))
          }
          try pipeline.addHandler(made)
        }
      }
      .connect(to: address)
      .assumeIsolated()
      .whenFailure { _ in
        // `channelInactive` never comes for a channel that never was active.
        guard handler != nil else { return }
        handler = nil
        self.attempt(rest, done)
      }
  }

  /// The certificate is checked against the upstream's name; an address has none to send.
  private static func tlsHandler(
    _ tls: NIOSSLContext, host: String
  ) throws -> NIOSSLClientHandler {
    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
    return try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host)
  }
}
