// The admin port: health, readiness, metrics, the page and the reports.
//
// It reads, but for two orders that a signed call gives. Hummingbird suits it: calls here are few,
// and none of them is on the way of an app's call.

import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle
import Synchronization

/// Serves the admin port until it is told to stop.
public struct AdminServer: Service {
  private let application: Application<RouterResponder<BasicRequestContext>>
  private let address: String
  private let progress = Progress()

  /// Shared by the copies of the value.
  private final class Progress: Sendable {
    let isListening = Atomic(false)
  }

  /// - Parameters:
  ///   - host: where to listen; a loopback address keeps it off the network.
  ///   - port: 0: any free one.
  ///   - allowedHosts: names besides `localhost` and addresses that callers may use in `Host`.
  ///   - secret: signs the calls that give orders; nil: none is taken.
  ///   - refreshSeconds: how often the page loads itself again.
  ///   - onListening: called once with the port that is bound.
  public init(
    control: some Control, host: String = "127.0.0.1", port: Int, allowedHosts: [String] = [],
    secret: String? = nil, refreshSeconds: Int = 15, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
  ) throws {
    address = "\(host):\(port)"
    let progress = progress
    let pages = try Pages(refreshSeconds: refreshSeconds)
    let router = Router(options: .autoGenerateHeadEndpoints)
    router.add(middleware: Gatekeeper(hosts: HostRule(hosts: allowedHosts + [host])))
    router.add(middleware: MetricsMiddleware())
    Endpoints(control: control, pages: pages, logger: logger).add(to: router)
    OrderEndpoints(control: control, calls: secret.map(SignedCalls.init), logger: logger)
      .add(to: router)
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
      onServerRunning: { channel in
        progress.isListening.store(true, ordering: .relaxed)
        await onListening(channel.localAddress?.port ?? port)
      },
      logger: logger)
  }

  /// - Throws: `AdminFault` where the address cannot be listened on.
  public func run() async throws {
    do { try await application.run() } catch {
      // What fails before the port is open is the address: nothing else has been tried.
      guard !progress.isListening.load(ordering: .relaxed), !(error is CancellationError)
      else { throw error }
      throw AdminFault(
        .listenFailed, "The admin port cannot listen on \(address).",
        hint: "Another process may have the port; change `admin` in gateway.yaml.",
        isRetryable: true, cause: "\(error)")
    }
  }

  /// A flood on the admin port must not take the descriptors that calls need.
  private static let connectionsMax = 256
}
