// Instructions in user space a call, counted by callgrind: they repeat under any load, so a change
// that noise hides shows here.

import Foundation
import Measures

/// One connection, a short run and a long one: what their counts differ by is the calls alone,
/// without start and end.
struct Instructions {
  private static let few = 200
  private static let many = 1_200

  let site: Site
  let plan: RunPlan
  /// The library that keeps valgrind from dying, see its source.
  let preload: String

  /// - Returns: nginx's and Leeway's figures.
  func measure() throws -> [RoundFigures] {
    var found: [RoundFigures] = []
    let subjects: [any Subject] = [
      NginxSubject(isOneProcess: true), LeewaySubject(name: "leeway"),
    ]
    for name in ["json", "burst"] {
      guard let scenario = Scenario.all.first(where: { $0.name == name }) else { continue }
      for subject in subjects where plan.subjects?.contains(subject.name) ?? true {
        let short = try count(subject, scenario, calls: Self.few)
        let long = try count(subject, scenario, calls: Self.many)
        let each = Double(long - short) / Double(Self.many - Self.few)
        progress("instructions, \(name): \(subject.name) \(Int(each)) a call")
        found.append(
          RoundFigures(
            scenario: "instructions-\(name)", subject: subject.name, round: 0,
            figures: [.instructions: each]))
      }
    }
    return found
  }

  /// A copy of Leeway without debug sections, which callgrind cannot read.
  static func stripped(_ path: String, site: Site) throws -> String {
    let copy = "\(site.directory)/leeway-stripped"
    try runCommand(["strip", "-g", "-o", copy, path], log: site.log("strip"))
    return copy
  }

  private func count(_ subject: any Subject, _ scenario: Scenario, calls: Int) throws -> Int {
    let output = "\(site.directory)/callgrind.out"
    try? FileManager.default.removeItem(atPath: output)
    try? FileManager.default.removeItem(atPath: site.folder(subject.name))
    var slow = site
    slow.wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=\(output)"]
    slow.wrapperEnvironment = ["LD_PRELOAD": preload]
    slow.patienceSeconds = 180
    let running = try subject.start(slow, for: scenario)
    defer { running.process?.stop() }
    var arguments = [
      plan.loadGenerator, "--port", String(running.port), "--path",
      running.path(scenario.upstream), "--connections", "1", "--calls", String(calls),
      "--seconds", "240",
    ]
    if let keys = running.keys { arguments += ["--keys", keys] }
    if scenario.isStream { arguments.append("--stream") }
    let load = try ChildProcess(
      arguments, core: plan.loadCore, log: site.log("load"), readsOutput: true)
    let (data, _) = load.finish()
    let result = try? JSONDecoder().decode(LoadResult.self, from: data)
    guard let result, result.errors == 0, result.calls == calls else {
      throw BenchFault("\(subject.name) under callgrind: \(result?.firstError ?? "no answer")")
    }
    running.process?.stop(patienceSeconds: 120)
    let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").last { $0.hasPrefix("totals:") }
    guard let total = line?.split(separator: " ").last.flatMap({ Int($0) }) else {
      throw BenchFault("callgrind left no count for \(subject.name)")
    }
    return total
  }
}
