// Which files stand in thresholds/. Every file there means something: one that Leeway would not
// read is a policy that its author believes in and nobody applies, so it is a fault.

import Foundation

/// The files that settings are read from.
struct ThresholdsListing {
  var hasGateway = false
  var hasDefaults = false
  var hasOrganisation = false
  /// File names, sorted.
  var apps: [String] = []
  var teams: [String] = []
  var prices: [String] = []

  private static let rootNames = [
    "gateway.yaml", "defaults.yaml", "organisation.yaml", "bench.yaml", "drift-bench.yaml", "apps",
    "teams", "prices", "baselines", "classifiers",
  ]

  /// Lists the directory and faults what does not belong there.
  static func read(_ directory: String, log: FaultLog) -> ThresholdsListing {
    var listing = ThresholdsListing()
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory)
    guard exists, isDirectory.boolValue, let names = names(in: directory) else {
      log.add(
        directory, 1, "there is no such directory, or it cannot be read",
        "name the policy's directory with --thresholds DIR")
      return listing
    }
    for name in names where !rootNames.contains(name) {
      log.add("\(directory)/\(name)", 1, "no such file is read here", advice(name))
    }
    listing.hasDefaults = names.contains("defaults.yaml")
    listing.hasOrganisation = names.contains("organisation.yaml")
    listing.hasGateway = names.contains("gateway.yaml")
    if !listing.hasGateway {
      log.add("\(directory)/gateway.yaml", 1, "is missing", "write it; it names the upstreams")
    }
    listing.apps = yamlFiles("\(directory)/apps", log: log)
    listing.prices = yamlFiles("\(directory)/prices", log: log)
    listing.teams = yamlFiles("\(directory)/teams", log: log)
    listing.apps = named(listing.apps, "app", in: "\(directory)/apps", log: log)
    listing.teams = named(listing.teams, "team", in: "\(directory)/teams", log: log)
    checkBaselines("\(directory)/baselines", apps: listing.apps, log: log)
    checkJSON("\(directory)/classifiers", log: log)
    return listing
  }

  /// The files whose names can be used.
  private static func named(
    _ files: [String], _ what: String, in folder: String, log: FaultLog
  ) -> [String] {
    files.filter { file in
      let name = String(file.dropLast(".yaml".count))
      if SettingsName.isValid(name) { return true }
      log.add("\(folder)/\(file)", 1, "'\(name)' is no \(what) name", SettingsName.advice)
      return false
    }
  }

  /// The `.yaml` files of a folder; another file, or two names that differ in case only, is a
  /// fault.
  private static func yamlFiles(_ folder: String, log: FaultLog) -> [String] {
    var kept: [String] = []
    for name in names(in: folder) ?? [] {
      guard name.hasSuffix(".yaml"), name != ".yaml" else {
        let advice = name.hasSuffix(".yml") ? "rename it to end in .yaml" : "remove or move it"
        log.add("\(folder)/\(name)", 1, "no such file is read here", advice)
        continue
      }
      if let twin = kept.first(where: { $0.lowercased() == name.lowercased() }) {
        log.add("\(folder)/\(name)", 1, "is the same name as '\(twin)'", "keep one of the two")
        continue
      }
      kept.append(name)
    }
    return kept
  }

  private static func checkBaselines(_ folder: String, apps: [String], log: FaultLog) {
    let known = apps.map { String($0.dropLast(".yaml".count)) }
    for app in names(in: folder) ?? [] {
      guard known.contains(app) else {
        log.add(
          "\(folder)/\(app)", 1, "baselines of an app that does not exist",
          NearestName.advice(for: app, among: known))
        continue
      }
      checkJSON("\(folder)/\(app)", log: log)
    }
  }

  private static func checkJSON(_ folder: String, log: FaultLog) {
    for name in names(in: folder) ?? [] where !name.hasSuffix(".json") {
      log.add("\(folder)/\(name)", 1, "no such file is read here", "remove or move it")
    }
  }

  private static func advice(_ name: String) -> String {
    if name.hasSuffix(".yml") { return "rename it to end in .yaml" }
    if let nearest = NearestName.of(name, among: rootNames) { return "did you mean '\(nearest)'?" }
    return "apps belong in apps/APP.yaml, prices in prices/; remove or move it"
  }

  /// Names in a folder, sorted, without hidden ones; nil where it cannot be listed.
  private static func names(in folder: String) -> [String]? {
    try? FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { !$0.hasPrefix(".") }.sorted()
  }
}
