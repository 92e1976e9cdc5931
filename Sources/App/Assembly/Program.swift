// The program as a whole: which parts run, in which order they start, and what it says when ready.

import Admin
import Alerting
import Curl
import Foundation
import Gateway
import Logging
import Metering
import Metrics
import NIOPosix
import Notify
import Rehearsal
import ServiceLifecycle
import Store
import Synchronization
import Telemetry

/// Runs the parts until the process is told to stop.
struct Program {
  enum Part { case gateway, analyzer }

  let settings: Settings
  let parts: Set<Part>
  let logger = Installation.logger("leeway")

  func run() async throws {
    let libraries = PrometheusFactory()
    MetricsSystem.bootstrap(libraries)
    let store = try Installation.openStore(settings.gateway)
    let threads = NIOThreadPool(numberOfThreads: 3)
    threads.start()
    let curl = CurlClient()
    let outbox = Outbox.assembled(settings.gateway, store: store, curl: curl, logger: logger)

    // In the order of starting; they stop in reverse, so that the outbox outlives who raises.
    var services: [any Service] = [outbox]
    var journal: Journal?
    if parts.contains(.gateway) {
      let alerts = AlertDesk(
        store: store, recipients: recipients, adminURL: settings.gateway.adminBase, logger: logger,
        wake: { outbox.wake() })
      let side = try await GatewaySide(
        program: self, store: store, alerts: alerts, libraries: libraries, threads: threads,
        curl: curl)
      journal = side.journal
      services += side.services
    }
    if parts.contains(.analyzer) {
      let assembly = AnalyzerAssembly(settings: settings, store: store, logger: logger)
      services.append(try assembly.service(wake: { outbox.wake() }))
      services.append(assembly.watchService(wake: { outbox.wake() }))
    }
    if !parts.contains(.gateway) { announceAnalyzer() }
    try await ServiceGroup(
      configuration: .init(
        services: services.map { .init(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
    ).run()
    curl.shutdown()
    try journal?.close()
    try await threads.shutdownGracefully()
    try store.close()
  }

  /// The service group's own steps are of no interest to an operator.
  private var quiet: Logger { Installation.logger("leeway.lifecycle", level: .warning) }

  private var recipients: [String: [Recipient]] {
    let hasMail = settings.gateway.mail != nil
    return Dictionary(
      uniqueKeysWithValues: settings.apps.map { ($0.name, $0.owner.recipients(hasMail: hasMail)) }
        + settings.shared.map { ($0.scope.text, $0.owner.recipients(hasMail: hasMail)) })
  }

  private func announceAnalyzer() {
    let analyzer = settings.gateway.analyzer
    let minute = analyzer.minute < 10 ? "0\(analyzer.minute)" : "\(analyzer.minute)"
    Console.line("Leeway \(LeewayVersion.text) analyzer is ready.")
    Console.line("  nightly  \(analyzer.hour):\(minute) \(analyzer.timeZone)")
    Console.line("  reports  \(Path.absolute(settings.gateway.reportsDirectory))")
    Console.flush()
  }
}

/// The gateway's services, and the admin port's.
private struct GatewaySide {
  let services: [any Service]
  let journal: Journal

  init(
    program: Program, store: StoreDatabase, alerts: AlertDesk, libraries: PrometheusFactory,
    threads: NIOThreadPool, curl: CurlClient
  ) async throws {
    let settings = program.settings
    var services: [any Service] = []
    var rehearsalPort: Int?
    if settings.gateway.upstreams.contains(where: \.isRehearsal) {
      let rehearsal = try RehearsalServer(
        configuration: RehearsalConfiguration(directory: RehearsalServer.recordedDirectory),
        logger: program.logger)
      rehearsalPort = try await rehearsal.start()
      services.append(rehearsal)
    }
    let assembly = try GatewayAssembly(
      settings: settings, store: store, alerts: alerts, rehearsalPort: rehearsalPort,
      threads: threads, curl: curl, logger: program.logger)
    try await assembly.gateway.start()
    services += assembly.services()
    let announcement = Announcement(
      settings: settings, store: store, gatewayPort: assembly.gateway.port,
      runsAnalyzer: program.parts.contains(.analyzer))
    services.append(
      try AdminServer(
        control: ProgramControl(
          gateway: assembly.gateway, settings: settings, store: store,
          exposition: Exposition(
            gateway: assembly.metrics, libraries: libraries, version: LeewayVersion.text),
          journal: assembly.journal, threads: threads, orders: assembly.orders),
        host: settings.gateway.admin.host, port: settings.gateway.admin.port,
        allowedHosts: settings.gateway.adminHosts,
        secret: settings.gateway.adminSecret?.value,
        logger: Installation.logger("leeway.admin", level: .warning),
        onListening: { port in announcement.show(adminPort: port) }))
    self.services = services
    journal = assembly.journal
  }
}

extension GatewaySettings {
  /// Names by which people reach the admin port, besides addresses.
  var adminHosts: [String] {
    let host = adminURL.flatMap { URL(string: $0)?.host() }
    return [admin.host] + (host.map { [$0] } ?? [])
  }
}

enum Path {
  static func absolute(_ path: String) -> String { URL(filePath: path).path }
}
