// The analyzer with what the settings say: nights, baselines, reports, and who is told.

import Analyzer
import Contracts
import Foundation
import Logging
import Metering
import Store

/// Makes the night run and its schedule from the settings.
struct AnalyzerAssembly {
  let settings: Settings
  let store: StoreDatabase
  let logger: Logger

  var policies: [AppDriftPolicy] {
    settings.apps.map { $0.driftPolicy(hasMail: settings.gateway.mail != nil) }
  }

  var baselines: BaselineFolder {
    BaselineFolder(path: settings.thresholdsDirectory + "/baselines")
  }

  var reports: ReportFolder { ReportFolder(path: settings.gateway.reportsDirectory) }

  /// The zone of the night run.
  /// - Throws: where the system does not know it.
  func zone() throws -> TimeZone {
    let name = settings.gateway.analyzer.timeZone
    guard let zone = TimeZone(identifier: name) else {
      throw AppFault(
        "The analyzer's time zone '\(name)' is not known here.",
        hint: "Install the system's time zone data, or name another zone in gateway.yaml.")
    }
    return zone
  }

  /// - Parameter wake: called when an alert was raised, so that it is sent at once.
  func nightRun(wake: @escaping @Sendable () -> Void) throws -> NightRun {
    var runSettings = NightRun.Settings(zone: try zone(), report: Self.reportSettings)
    runSettings.falseDiscoveryRate =
      settings.apps.map(\.drift.familyRate).min() ?? runSettings.falseDiscoveryRate
    runSettings.reportLink = settings.gateway.adminBase.map { $0 + "/reports/" }
    let store = store
    return NightRun(store: store, baselines: baselines, reports: reports, settings: runSettings) {
      alert, addresses in
      let isNew = try store.enqueueAlert(
        alert, deliveries: addresses.map { ($0.channel, $0.address) })
      if isNew { wake() }
      return isNew
    }
  }

  var watch: DriftWatch {
    var watchSettings = DriftWatch.Settings()
    watchSettings.falseAlarmDays = settings.gateway.falseAlarmDays
    watchSettings.link = settings.gateway.adminBase
    return DriftWatch(store: store, baselines: baselines, settings: watchSettings)
  }

  func watchService(wake: @escaping @Sendable () -> Void) -> WatchService {
    WatchService(watch: watch, policies: policies, clock: Self.clock, logger: logger, wake: wake)
  }

  private static let clock = AnalyzerService.Clock(
    now: { Clock.now() }, sleep: { try await Task.sleep(for: .milliseconds($0)) })

  func service(wake: @escaping @Sendable () -> Void) throws -> AnalyzerService {
    let analyzer = settings.gateway.analyzer
    let policies = policies
    return AnalyzerService(
      run: try nightRun(wake: wake),
      schedule: try NightSchedule(hour: analyzer.hour, minute: analyzer.minute, zone: zone()),
      reports: reports, clock: Self.clock, logger: logger, policies: { policies })
  }

  /// Reports leave the house: outputs in them are redacted once more, personal data too.
  static let reportSettings = ReportSettings(
    redact: { Redactor(hidesPersonalData: true).redact($0).text })
}

extension GatewaySettings {
  /// Where people reach the admin port; nil where it takes any free port.
  var adminBase: String? {
    if let adminURL { return adminURL.hasSuffix("/") ? String(adminURL.dropLast()) : adminURL }
    return admin.port == 0 ? nil : "http://\(admin.host):\(admin.port)"
  }
}
