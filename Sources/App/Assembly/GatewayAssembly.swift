// Everything that stands behind `leeway gateway`: the gateway itself and what serves it.

import Admin
import Alerting
import Curl
import Foundation
import Gateway
import Logging
import Metering
import NIOPosix
import Notify
import Rehearsal
import ServiceLifecycle
import Store
import Synchronization
import Telemetry

/// The gateway side, opened and ready to run.
struct GatewayAssembly {
  let gateway: GatewayService
  let journal: Journal
  let metrics: GatewayMetrics
  let alerts: AlertDesk
  let settings: Settings
  let store: StoreDatabase
  /// The upstreams that can be relayed to.
  let upstreams: [GatewayUpstream]
  let orders: OrderDesk
  private let threads: NIOThreadPool
  private let logger: Logger

  /// Opens the journal, folds what a crash left unfolded, and reads keys and certificates.
  ///
  /// - Parameters:
  ///   - rehearsalPort: where the built-in rehearsal upstream listens; nil: it was not started.
  init(
    settings: Settings, store: StoreDatabase, alerts: AlertDesk, rehearsalPort: Int?,
    threads: NIOThreadPool, curl: CurlClient, logger: Logger
  ) throws {
    self.settings = settings
    self.store = store
    self.alerts = alerts
    self.threads = threads
    self.logger = logger
    let gatewaySettings = settings.gateway
    let now = Clock.now()
    try Installation.makeDirectory(gatewaySettings.journalDirectory)
    try store.claimLedger()
    var ledger = try store.checkpoint()
    var journalSettings = JournalSettings()
    journalSettings.syncMilliseconds = Int(gatewaySettings.journalSyncMilliseconds)
    journal = try Journal.open(
      directory: gatewaySettings.journalDirectory, settings: journalSettings,
      foldedThrough: ledger.lastSequence, logger: logger
    ) { ledger.apply($0) }

    let upstreams = try Self.upstreams(settings, rehearsalPort: rehearsalPort)
    self.upstreams = upstreams
    let timelines = WindowTimelines(from: now, days: Self.windowDays)
    let apps = settings.apps.map { app in
      GatewayApp(
        policy: app.policy(timelines),
        upstream: settings.upstream(of: app)?.name ?? "", sampleRate: app.samples.rate,
        samplesErrors: app.samples.errorsAlways)
    }
    metrics = GatewayMetrics(
      apps: apps.map(\.policy.app),
      upstreams: upstreams.map { UpstreamLabel(name: $0.name, provider: $0.dialect.rawValue) })
    var configuration = Self.configuration(gatewaySettings)
    configuration.userHashKey = try store.secret("end users")
    gateway = try GatewayService(
      configuration: configuration, apps: apps, upstreams: upstreams,
      ledger: ledger, journal: journal, metrics: metrics,
      callbacks: .init(
        onCrossings: { alerts.raise($0, at: Clock.now()) },
        onUnreadableCoding: { alerts.raiseUnreadable(coding: $1, app: $0, at: Clock.now()) },
        storeSamples: { try _ = store.insertSamples($0, storedAt: Clock.now()) },
        loadKeys: { try store.keys() }, clock: { Clock.now() }),
      curl: curl, logger: logger)
    for app in apps where app.policy.calibration != nil {
      let calls = try store.calls(
        app: app.policy.app, state: .settled, since: now.adding(milliseconds: -Self.learnedSpan),
        limit: Self.learnedCallsMax)
      gateway.learn(from: calls.reversed())
    }
    orders = OrderDesk(gateway: gateway, store: store)
  }

  /// What a calibrated app's calls cost is learned from the last of them, as far back as this.
  private static let learnedCallsMax = 16_384
  private static let learnedSpan: Int64 = 31 * Retention.dayMilliseconds

  /// Budget windows are made this far ahead; past it calls are refused until a restart.
  private static let windowDays = 800

  /// The services that run beside the gateway, in the order in which they start.
  func services() -> [any Service] {
    let orders = orders
    let repricings = RepricingDesk(gateway: gateway, store: store)
    let alerts = alerts
    return [
      FoldService(pump: FoldPump(journal: journal, database: store, logger: logger)),
      gateway,
      Repeating("orders", every: .milliseconds(25), threads: threads, logger: logger) {
        try orders.applyNew()
      },
      Repeating("repricings", every: .milliseconds(250), threads: threads, logger: logger) {
        try repricings.applyReady()
      },
      Repeating(
        "alerts", every: .seconds(1), threads: threads, logger: logger,
        runsAtShutdown: true
      ) {
        try alerts.storeWaiting()
      },
      Retention(
        settings: settings.gateway, gateway: gateway, store: store, threads: threads,
        logger: logger),
    ] + keyRotations()
  }

  /// Whoever renews the keys of a session writes them into the file that they were read from.
  private func keyRotations() -> [any Service] {
    upstreams.compactMap { upstream in
      guard let store = upstream.signing?.credentials,
        let file = settings.gateway.upstream(upstream.name)?.signing?.file
      else { return nil }
      return Repeating(
        "keys of \(upstream.name)", every: .seconds(5), threads: threads, logger: logger
      ) {
        let credentials = try file.read()
        if credentials != store.current { store.current = credentials }
      }
    }
  }

  private static func configuration(_ settings: GatewaySettings) -> GatewayConfiguration {
    var configuration = GatewayConfiguration()
    configuration.host = settings.listen.host
    configuration.port = settings.listen.port
    configuration.tls = settings.tls.map {
      .init(certificateChainPath: $0.certificate, privateKeyPath: $0.key)
    }
    configuration.loops = settings.eventLoops ?? 0
    configuration.headBytesMax = settings.bounds.headBytesMax
    configuration.bodyBytesMax = settings.bounds.bodyBytesMax
    configuration.connectionsMax = settings.bounds.connectionsMax
    configuration.headTimeoutSeconds = settings.timeouts.headSeconds
    configuration.bodyTimeoutSeconds = settings.timeouts.bodySeconds
    configuration.idleTimeoutSeconds = settings.timeouts.idleSeconds
    configuration.connectTimeoutSeconds = settings.timeouts.connectSeconds
    configuration.answerTimeoutSeconds = settings.timeouts.firstByteSeconds
    configuration.silenceTimeoutSeconds = settings.timeouts.silenceSeconds
    configuration.drainSeconds = settings.drain.seconds
    configuration.drainBytesMax = settings.drain.bytesMax
    configuration.shutdownGraceSeconds = settings.timeouts.shutdownSeconds
    return configuration
  }

  private static func upstreams(
    _ settings: Settings, rehearsalPort: Int?
  ) throws -> [GatewayUpstream] {
    try settings.gateway.upstreams.compactMap { upstream in
      if upstream.isRehearsal {
        guard let rehearsalPort else { return nil }
        return GatewayUpstream(
          name: upstream.name, dialect: upstream.dialect, isTLS: false, host: "127.0.0.1",
          port: rehearsalPort, prices: settings.prices(of: upstream.name))
      }
      return try GatewayUpstream(
        name: upstream.name, dialect: upstream.dialect, baseURL: upstream.url,
        credential: upstream.credential?.value, missingCredential: upstream.missingCredential,
        signing: upstream.signing.flatMap { signing in
          signing.credentials.map {
            UpstreamSigning(region: signing.region, credentials: AWSCredentialStore($0))
          }
        },
        trustRootsPath: upstream.trustRoots, prices: settings.prices(of: upstream.name))
    }
  }
}

/// Applies the store's orders to the gateway, in their sequence.
final class OrderDesk: Sendable {
  private let gateway: GatewayService
  private let store: StoreDatabase
  private let seen: Mutex<Int64>

  init(gateway: GatewayService, store: StoreDatabase) {
    self.gateway = gateway
    self.store = store
    seen = Mutex(gateway.lastOrder)
  }

  /// One caller at a time: an order that is applied behind a later one would end what that began.
  /// - Throws: where an order could not be applied yet; it and those after it wait for a turn.
  func applyNew() throws {
    try seen.withLock { seen in
      for order in try store.orders(after: seen) {
        do throws(GatewayFault) {
          try gateway.apply(order)
        } catch {
          // One for an app that policy no longer names cannot be applied, today or later.
          if error.isRetryable { throw error }
        }
        seen = order.sequence
      }
    }
  }
}

/// Folds the journal into the store until shutdown, then what is left.
struct FoldService: Service {
  let pump: FoldPump

  func run() async throws {
    await cancelWhenGracefulShutdown { await pump.run() }
  }
}

/// Deletes what has aged out, hourly, and gives the space back.
struct Retention: Service {
  let settings: GatewaySettings
  let gateway: GatewayService
  let store: StoreDatabase
  let threads: NIOThreadPool
  let logger: Logger

  /// How long calls are kept one by one.
  static let callDays: Int64 = 400
  private static let alertDays: Int64 = 400
  static let dayMilliseconds: Int64 = 86_400_000

  func run() async throws {
    let samples = settings.samples
    let (store, gateway) = (store, gateway)
    try await Repeating("retention", every: .seconds(3_600), threads: threads, logger: logger) {
      let now = Clock.now()
      // First: what cleaning the store takes is minutes. A journal that cannot be written does not
      // keep the store from giving back space.
      let forgotten = Result { try gateway.forgetWindows() }
      func daysAgo(_ days: Int64) -> Timestamp {
        now.adding(milliseconds: -days * Self.dayMilliseconds)
      }
      _ = try store.pruneSamples(
        olderThan: daysAgo(samples.ageDays), bytesMax: samples.bytesMax)
      _ = try store.pruneCalls(olderThan: daysAgo(Self.callDays))
      _ = try store.pruneAlerts(olderThan: daysAgo(Self.alertDays))
      _ = try store.reclaimSpace()
      try forgotten.get()
    }.run()
  }
}
