// What all event loops share: values that never change, and the few parts that lock for themselves.

import Crypto
import Logging
import Metering
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Telemetry
import Wire

/// Shared by every connection of the gateway.
final class GatewayCore: Sendable {
  let configuration: GatewayConfiguration
  let apps: [GatewayApp]
  let upstreams: [GatewayUpstream]
  /// What every request to an upstream says, by upstream index.
  let upstreamLines: [UpstreamLines]
  /// What an app's estimates need of its policy, by app index.
  let estimatePolicies: [CallEstimate.Policy]
  /// What their calls' heads are asked for, by app index.
  let scopes: [CallScopes]
  /// Hashes the names of end users.
  let userKey: SymmetricKey
  /// The upstream of each app's bare `/v1/…` path, by app index.
  let upstreamOfApp: [Int]
  /// By upstream index; nil for plain HTTP.
  let upstreamTLS: [NIOSSLContext?]
  let desk: AdmissionDesk
  let metrics: GatewayMetrics
  let samples: SampleQueue
  let codings: UnreadableCodings
  let addresses: AddressBook
  let batchInputs: BatchInputs
  let clock: @Sendable () -> Timestamp
  let logger: Logger

  /// Bounds of a caller's head and body framing, and of an upstream's.
  let limits: HeadLimits
  private let keyTable: Mutex<KeyTable>
  private let following = Mutex<Follower?>(nil)
  private let connections = Atomic<Int>(0)

  init(
    configuration: GatewayConfiguration, apps: [GatewayApp], upstreams: [GatewayUpstream],
    keys: KeyTable, desk: AdmissionDesk, metrics: GatewayMetrics,
    samples: SampleQueue, codings: UnreadableCodings, addresses: AddressBook,
    batchInputs: BatchInputs,
    clock: @escaping @Sendable () -> Timestamp, logger: Logger
  ) throws(GatewayFault) {
    self.configuration = configuration
    limits = HeadLimits(headBytesMax: configuration.headBytesMax)
    self.apps = apps
    self.upstreams = upstreams
    for upstream in upstreams { try upstream.check() }
    estimatePolicies = apps.map { app in
      CallEstimate.Policy(
        outputTokensDefault: app.policy.outputTokensDefault,
        isBudgeted: app.policy.isBudgeted || app.policy.limitsTokenRate,
        fitTokensMin: app.policy.fitTokensMin, fitsCallersBound: app.policy.fitsCallersBound,
        limitsModels: app.policy.models != nil,
        isByModel: app.policy.calibration != nil
          || app.policy.budgets.contains { $0.holder == .eachModel })
    }
    scopes = apps.map { CallScopes($0.policy) }
    userKey = SymmetricKey(data: configuration.userHashKey)
    upstreamLines = upstreams.map(UpstreamLines.init)
    upstreamOfApp = try Self.upstreams(of: apps, among: upstreams)
    upstreamTLS = try TLSContexts.client(for: upstreams)
    keyTable = Mutex(keys)
    self.desk = desk
    self.metrics = metrics
    self.samples = samples
    self.codings = codings
    self.addresses = addresses
    self.batchInputs = batchInputs
    self.clock = clock
    self.logger = logger
  }

  /// The keys as they stand; held for the length of one look-up.
  var keys: KeyTable {
    get { keyTable.withLock { $0 } }
    set { keyTable.withLock { $0 = newValue } }
  }

  /// Follows what goes on at providers; nil before the gateway starts.
  var follower: Follower? {
    get { following.withLock { $0 } }
    set { following.withLock { $0 = newValue } }
  }

  /// Counts a new connection, or says that there are too many.
  func openConnection() -> Bool {
    let before = connections.add(1, ordering: .relaxed).oldValue
    guard before < configuration.connectionsMax else {
      connections.subtract(1, ordering: .relaxed)
      metrics.record(.connectionsRefused)
      return false
    }
    metrics.connectionOpened()
    return true
  }

  func closeConnection() {
    connections.subtract(1, ordering: .relaxed)
    metrics.connectionClosed()
  }

  var openConnections: Int { connections.load(ordering: .relaxed) }

  private static func upstreams(
    of apps: [GatewayApp], among upstreams: [GatewayUpstream]
  ) throws(GatewayFault) -> [Int] {
    var found: [Int] = []
    for app in apps {
      guard let index = upstreams.firstIndex(where: { $0.name == app.upstream }) else {
        throw .configurationInvalid(
          "App '\(app.policy.app)' names upstream '\(app.upstream)', which is not configured.",
          hint: "Name one of: \(upstreams.map(\.name).joined(separator: ", ")).")
      }
      found.append(index)
    }
    return found
  }
}
