// The admin port: health, readiness, metrics, the page and the reports.
//
// It reads and never writes, so only GET and HEAD exist. Hummingbird suits it: calls here are few,
// and none of them is on the way of an app's call.

import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle

/// Serves the admin port until it is told to stop.
public struct AdminServer: Service {
  private let application: Application<RouterResponder<BasicRequestContext>>

  /// - Parameters:
  ///   - host: where to listen; a loopback address keeps it off the network.
  ///   - port: 0: any free one.
  ///   - allowedHosts: names besides `localhost` and addresses that callers may use in `Host`.
  ///   - refreshSeconds: how often the page loads itself again.
  ///   - onListening: called once with the port that is bound.
  public init(
    control: some Control, host: String = "127.0.0.1", port: Int, allowedHosts: [String] = [],
    refreshSeconds: Int = 15, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
  ) throws {
    let pages = try Pages(refreshSeconds: refreshSeconds)
    let router = Router(options: .autoGenerateHeadEndpoints)
    router.add(middleware: Gatekeeper(hosts: HostRule(hosts: allowedHosts + [host])))
    router.add(middleware: MetricsMiddleware())
    Endpoints(control: control, pages: pages, logger: logger).add(to: router)
    application = Application(
      router: router,
      server: .http1(
        configuration: .init(
          idleTimeout: .seconds(75),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port),
        availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMax)),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
      logger: logger)
  }

  public func run() async throws { try await application.run() }

  /// A flood on the admin port must not take the descriptors that calls need.
  private static let connectionsMax = 256
}
