// The gateway as a service: it listens, and it ends every call before it ends itself.

import Curl
import Logging
import Metering
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Store
import Synchronization
import Telemetry
import Tokens

/// Relays apps' calls to upstreams, and meters, caps and samples them on the way.
///
/// ```
/// let gateway = try GatewayService(configuration: …, apps: …, …)
/// try await gateway.start()      // listens; `gateway.port` is known
/// try await gateway.run()        // until graceful shutdown
/// ```
public final class GatewayService: Service, Sendable {
  /// What the gateway calls when something is to be done outside the loops.
  public struct Callbacks: Sendable {
    /// Budget marks that were passed, in no particular order and possibly more than once for one
    /// mark across restarts: an alert's own identity keeps it to once. Called on a thread that
    /// may block.
    public var onCrossings: @Sendable ([BudgetCrossing]) -> Void
    /// An app's answers come in a content coding that cannot be read, so that its calls are charged
    /// as estimated: `gzip`, `br`, `zstd` … At most once per app and coding while the gateway
    /// runs. Called on a thread that may block.
    public var onUnreadableCoding: @Sendable (_ app: String, _ coding: String) -> Void
    /// Stores a batch of samples. Called on a thread that may block.
    public var storeSamples: @Sendable ([SampleRecord]) throws -> Void
    /// All keys as the store has them, revoked ones included.
    public var loadKeys: @Sendable () throws -> [KeyRecord]
    /// Now, in wall-clock time.
    public var clock: @Sendable () -> Timestamp

    public init(
      onCrossings: @escaping @Sendable ([BudgetCrossing]) -> Void,
      onUnreadableCoding: @escaping @Sendable (_ app: String, _ coding: String) -> Void,
      storeSamples: @escaping @Sendable ([SampleRecord]) throws -> Void,
      loadKeys: @escaping @Sendable () throws -> [KeyRecord],
      clock: @escaping @Sendable () -> Timestamp
    ) {
      self.onCrossings = onCrossings
      self.onUnreadableCoding = onUnreadableCoding
      self.storeSamples = storeSamples
      self.loadKeys = loadKeys
      self.clock = clock
    }
  }

  private struct Running {
    var channel: any Channel
    var loops: [NIOLoopBound<LoopContext>]
    var port: Int
  }

  private let core: GatewayCore
  private let loadKeys: @Sendable () throws -> [KeyRecord]
  private let tls: NIOSSLContext?
  private let group: MultiThreadedEventLoopGroup
  private let threads: NIOThreadPool
  private let curl: CurlClient
  private let running = Mutex<Running?>(nil)

  /// Reads certificates and keys; nothing listens yet.
  ///
  /// - Parameters:
  ///   - apps: their order numbers them, and must be that of `metrics`.
  ///   - upstreams: likewise.
  ///   - ledger: folded from the store's checkpoint and the journal's tail.
  ///   - journal: open and positioned after the last event of `ledger`.
  ///   - curl: asks providers after what goes on there.
  /// - Throws: `configurationInvalid`, `certificateUnreadable`, `keysUnreadable`.
  public init(
    configuration: GatewayConfiguration, apps: [GatewayApp], upstreams: [GatewayUpstream],
    ledger: Ledger, journal: Journal, metrics: GatewayMetrics,
    callbacks: Callbacks, curl: CurlClient = CurlClient(), logger: Logger
  ) throws(GatewayFault) {
    let threads = NIOThreadPool(numberOfThreads: 2)
    let onCrossings = callbacks.onCrossings
    let desk = AdmissionDesk(
      policies: apps.map(\.policy), upstreams: upstreams, ledger: ledger, journal: journal,
      metrics: metrics,
      raise: { crossings in threads.submit { _ in onCrossings(crossings) } })
    let samples = SampleQueue(
      draftsMax: configuration.sampleQueueMax, threads: threads, metrics: metrics, logger: logger,
      store: callbacks.storeSamples)
    let codings = UnreadableCodings(
      threads: threads, logger: logger, tell: callbacks.onUnreadableCoding)
    let addresses = AddressBook(
      targets: upstreams.map { ($0.host, $0.port) },
      lifetime: .seconds(configuration.addressLifetimeSeconds), threads: threads)
    let records = try Self.keys(from: callbacks.loadKeys)
    core = try GatewayCore(
      configuration: configuration, apps: apps, upstreams: upstreams,
      keys: KeyTable(records: records, apps: apps.map(\.policy.app)), desk: desk, metrics: metrics,
      samples: samples, codings: codings, addresses: addresses,
      // A thread of its own: a line that is long is a while to peek, and jobs' answers wait.
      batchInputs: BatchInputs(
        curl: CurlClient(), atATime: configuration.batchInputsAtATime,
        perApp: configuration.batchInputsPerApp),
      clock: callbacks.clock,
      logger: logger)
    tls = try TLSContexts.server(configuration.tls)
    if upstreams.contains(where: { $0.isOpenAI || $0.isAzureOpenAI }) {
      // Loaded here: the first call that needs one would else hold its loop up.
      for encoding in TokenEncoding.allCases { _ = encoding.vocabulary }
    }
    loadKeys = callbacks.loadKeys
    self.threads = threads
    self.curl = curl
    group = MultiThreadedEventLoopGroup(
      numberOfThreads: configuration.loops > 0 ? configuration.loops : System.coreCount)
  }

  /// Learns what the calls of an app of before cost, where its holds are calibrated; before
  /// `start`.
  ///
  /// - Parameter calls: that were charged, the oldest first.
  public func learn(from calls: some Sequence<CallRow>) {
    for call in calls where call.usage.source == .reported && call.most > .zero {
      guard let app = core.apps.firstIndex(where: { $0.policy.app == call.app }),
        let upstream = core.upstreams.first(where: { $0.name == call.upstream })
      else { continue }
      core.desk.learn(
        app: app, family: upstream.prices.family(of: call.model, at: call.at),
        charge: call.firstCharge ?? call.charge, of: call.most)
    }
  }

  // MARK: Life

  /// Settles what a crash left open, and listens.
  /// - Throws: `listenFailed`, `journalUnavailable`.
  public func start() async throws {
    threads.start()
    let expired = try core.desk.recover(at: core.clock())
    if expired > 0 {
      core.logger.warning(
        "calls that were open when the gateway died were charged at their estimate",
        metadata: ["count": "\(expired)"])
    }
    let follower = Follower(core: core, curl: curl, threads: threads)
    core.follower = follower
    follower.start()
    let core = core
    let loops = group.makeIterator().map { loop in
      (loop, loop.submit { NIOLoopBound(LoopContext(loop: loop, core: core), eventLoop: loop) })
    }
    var bound: [ObjectIdentifier: NIOLoopBound<LoopContext>] = [:]
    for (loop, made) in loops {
      let context = try await made.get()
      try await loop.submit { context.value.start() }.get()
      bound[ObjectIdentifier(loop)] = context
    }
    let channel = try await listen(on: bound)
    let port = channel.localAddress?.port ?? core.configuration.port
    running.withLock {
      $0 = Running(channel: channel, loops: Array(bound.values), port: port)
    }
    for upstream in core.upstreams.indices { core.addresses.suspect(upstream) }
    core.logger.info(
      "gateway listens",
      metadata: ["host": "\(core.configuration.host)", "port": "\(port)"])
  }

  /// The port that is listened on; 0 before `start`.
  public var port: Int { running.withLock { $0?.port ?? 0 } }

  /// Serves until graceful shutdown, then ends every call; starts first where `start` was not
  /// called.
  public func run() async throws {
    if running.withLock({ $0 == nil }) { try await start() }
    try? await gracefulShutdown()
    try await stop()
  }

  /// Stops accepting, lets open calls end within the grace, settles the rest as shut down.
  public func stop() async throws {
    guard let state = running.withLock({ $0.take() }) else { return }
    try? await state.channel.close()
    for context in state.loops { try await Self.on(context) { $0.beginStopping() } }
    let deadline = NIODeadline.now() + .seconds(core.configuration.shutdownGraceSeconds)
    while !Task.isCancelled, NIODeadline.now() < deadline, try await !isQuiet(state.loops) {
      try? await Task.sleep(for: .milliseconds(20))
    }
    for context in state.loops { try await Self.on(context) { $0.stopAll() } }
    await core.batchInputs.stop()
    await core.follower?.stop()
    core.follower = nil
    let core = core
    try? await threads.runIfActive { core.samples.finish() }
    try await group.shutdownGracefully()
    try await threads.shutdownGracefully()
    core.logger.info("gateway stopped")
  }

  // MARK: Orders and views

  /// Applies an order from outside: stops or restores an app, or reads the keys again.
  ///
  /// Idempotent by the order's sequence. May block; never call it on an event loop.
  /// - Throws: `journalUnavailable`, `keysUnreadable`, `appUnknown`. Retry a retryable one.
  public func apply(_ order: OrderRecord) throws(GatewayFault) {
    switch order.action {
    case .cap(let app):
      try check(app)
      try core.desk.cap(
        app: app, reason: order.reason, order: order.sequence, at: core.clock())
    case .restore(let app):
      try check(app)
      try core.desk.cap(app: app, reason: nil, order: order.sequence, at: core.clock())
    case .isolate(let app):
      try check(app)
      try core.desk.isolate(
        app: app,
        Isolation(order: order.sequence, actor: order.actor, reason: order.reason),
        at: core.clock()
      ) { endCalls(of: app, order: order.sequence) }
    case .keysChanged:
      let records = try Self.keys(from: loadKeys)
      core.keys = KeyTable(records: records, apps: core.apps.map(\.policy.app))
    }
    core.logger.info(
      "order applied", metadata: ["order": "\(order.sequence)", "actor": "\(order.actor)"])
  }

  /// Charges calls that ended before anew. Idempotent by the repricing's number. May block; never
  /// call it on an event loop.
  ///
  /// It must have been read of a store whose fold has reached `repricedSequence`.
  /// - Throws: `journalUnavailable`. Retry it.
  public func apply(_ repricing: Repricing) throws(GatewayFault) {
    try core.desk.reprice(repricing, at: core.clock())
    core.logger.info(
      "calls charged anew",
      metadata: [
        "repricing": "\(repricing.number)", "calls": "\(repricing.charges.count)",
      ])
  }

  /// Forgets budgets' windows that are long over. May block; never call it on an event loop.
  /// - Throws: `journalUnavailable`.
  public func forgetWindows() throws(GatewayFault) { try core.desk.forget(at: core.clock()) }

  /// The number of the last repricing that was applied.
  public var lastRepricing: Int64 { core.desk.lastRepricing }

  /// The sequence of the last event that may have charged calls anew.
  public var repricedSequence: UInt64 { core.desk.repricedSequence }

  /// The sequence of the last order that changed admission; poll for those after it.
  public var lastOrder: Int64 { core.desk.lastOrder }

  /// Every app's balances, counts and state, in one instant.
  public func snapshot() -> GatewaySnapshot { core.desk.snapshot(at: core.clock()) }

  /// What is left of the rates of the app at an index and one of its keys.
  func rateStanding(app: Int, key: Int64) -> [RateStanding] {
    core.desk.rateStanding(app: app, key: key, at: core.clock())
  }

  /// A copy of the ledger: equal to the fold of the store's checkpoint and the journal.
  public var ledger: Ledger { core.desk.ledger }

  // MARK: Parts

  /// Ends all that is under way of an app, on every loop.
  private func endCalls(of app: String, order: Int64) {
    guard let index = core.apps.firstIndex(where: { $0.policy.app == app }) else { return }
    for context in running.withLock({ $0?.loops }) ?? [] {
      context.eventLoop.execute { context.value.isolate(app: index, .appIsolated(order: order)) }
    }
  }

  private func check(_ app: String) throws(GatewayFault) {
    guard core.apps.contains(where: { $0.policy.app == app }) else {
      throw GatewayFault(
        code: .appUnknown, message: "An order names app '\(app)', which has no policy here.",
        hint: "Apps are the files of thresholds/apps/.")
    }
  }

  private func listen(
    on loops: [ObjectIdentifier: NIOLoopBound<LoopContext>]
  ) async throws -> any Channel {
    let tls = tls
    let core = core
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let context = loops[ObjectIdentifier(channel.eventLoop)] else {
            throw ChannelError.operationUnsupported
          }
          let pipeline = channel.pipeline.syncOperations
          if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
          try pipeline.addHandler(CallerHandler(loop: context.value))
        }
      }
    do {
      return try await bootstrap.bind(
        host: core.configuration.host, port: core.configuration.port
      ).get()
    } catch {
      throw GatewayFault(
        code: .listenFailed,
        message: "Cannot listen on \(core.configuration.host):\(core.configuration.port).",
        hint: "Another process may have the port; change listen in thresholds/gateway.yaml.",
        cause: "\(error)")
    }
  }

  private func isQuiet(_ loops: [NIOLoopBound<LoopContext>]) async throws -> Bool {
    for context in loops where try await !Self.on(context, { $0.isQuiet }) { return false }
    return true
  }

  private static func on<Value: Sendable>(
    _ context: NIOLoopBound<LoopContext>, _ body: @escaping @Sendable (LoopContext) -> Value
  ) async throws -> Value {
    try await context.eventLoop.submit { body(context.value) }.get()
  }

  private static func keys(
    from load: @Sendable () throws -> [KeyRecord]
  ) throws(GatewayFault) -> [KeyRecord] {
    do { return try load() } catch {
      throw GatewayFault(
        code: .keysUnreadable, message: "The apps' keys cannot be read from the store.",
        hint: "Check that the database is there and readable.", isRetryable: true,
        cause: "\(error)")
    }
  }
}
