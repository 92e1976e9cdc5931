// Runs scenarios: subjects in turn within each round, the order rotated from round to round.

import Foundation
import Measures

struct RunPlan {
  var rounds: Int
  /// Of one measurement; a warm-up of a third of it goes before.
  var seconds: Double
  var loadCore: Int
  var loadGenerator: String
  /// Names of subjects to take; nil: all.
  var subjects: Set<String>?
}

final class Runner {
  let site: Site
  let plan: RunPlan
  private(set) var measurements: [RoundFigures] = []
  var notes: [String] = []
  /// Good calls by subject, since it was started.
  var calls: [String: Int] = [:]

  init(site: Site, plan: RunPlan) {
    self.site = site
    self.plan = plan
  }

  func run(_ scenario: Scenario) throws {
    let chosen = scenario.subjects.filter { plan.subjects?.contains($0.name) ?? true }
    guard !chosen.isEmpty else { return }
    progress("\(scenario.name): \(scenario.title)")
    guard scenario.isFreshEachRound else { return try run(scenario, chosen, rounds: rounds) }
    // One by one, and ended before the next: what a subject still holds of the last streams would
    // take descriptors of the mock from the next one.
    for round in rounds {
      let shift = round % chosen.count
      for subject in chosen[shift...] + chosen[..<shift] {
        try run(scenario, [subject], rounds: [round])
      }
    }
  }

  private var rounds: [Int] { Array(0..<plan.rounds) }

  /// Starts the subjects, takes turns, and wants each to have done its work.
  private func run(_ scenario: Scenario, _ chosen: [any Subject], rounds: [Int]) throws {
    calls = [:]
    var subjects: [RunningSubject] = []
    defer { for subject in subjects { subject.process?.stop() } }
    for subject in chosen {
      try? FileManager.default.removeItem(atPath: site.folder(subject.name))
      subjects.append(try subject.start(site, for: scenario))
    }
    let rate = try fixedRate(scenario, subjects)
    for round in rounds {
      let shift = round % subjects.count
      for subject in subjects[shift...] + subjects[..<shift] {
        let figures = try measure(scenario, subject, rate: rate)
        measurements.append(
          RoundFigures(
            scenario: scenario.name, subject: subject.name, round: round, figures: figures))
        progress("  \(round + 1)/\(plan.rounds) \(subject.name) " + Table.brief(figures))
      }
    }
    for subject in subjects {
      // Held streams end unfinished, and wrk drops the calls that are open at its end.
      guard let count = calls[subject.name] else { continue }
      try subject.verify(count, !scenario.isTLS)
    }
  }

  /// The rate for all: half of what the slowest that is judged can do.
  ///
  /// Calls that come one by one cost up to twice as much as those of connections that never wait,
  /// which come in batches; so what a subject can do at a rate is told by its processor's share at a
  /// lower one.
  private func fixedRate(_ scenario: Scenario, _ subjects: [RunningSubject]) throws -> Double? {
    switch scenario.kind {
    case .paced(let streams): return streams
    case .closed, .held: return nil
    case .rate:
      let judged = subjects.filter { $0.name == "nginx" || $0.name == "leeway" }
      guard !judged.isEmpty else { return 5_000 }
      var least = Double.infinity
      for subject in judged {
        _ = try load(scenario, subject, seconds: plan.seconds / 3)
        let result = try load(scenario, subject, seconds: plan.seconds / 2).result
        least = min(least, result.callsPerSecond)
      }
      let probe = least / 4
      var rate = least / 2
      for subject in judged {
        let before = subject.account?.cpuNanoseconds() ?? 0
        let result = try load(scenario, subject, seconds: plan.seconds / 2, rate: probe).result
        subject.account?.settle()
        let used = Double((subject.account?.cpuNanoseconds() ?? 0) - before) / 1e9
        rate = min(rate, Double(result.calls) / used / 2)
      }
      rate.round()
      notes.append("\(scenario.name): \(Int(rate)) calls/s for every subject, half of saturation")
      return rate
    }
  }

  private func measure(
    _ scenario: Scenario, _ subject: RunningSubject, rate: Double?
  ) throws -> [Figure: Double] {
    if case .held(let streams) = scenario.kind {
      return try hold(scenario, subject, streams: streams)
    }
    _ = try load(scenario, subject, seconds: plan.seconds / 3, rate: rate)
    subject.account?.settle()
    let before = subject.account?.cpuNanoseconds() ?? 0
    let (result, resident) = try load(scenario, subject, seconds: plan.seconds, rate: rate)
    subject.account?.settle()
    var figures: [Figure: Double] = [
      .p50: result.latency.p50, .p99: result.latency.p99, .p999: result.latency.p999,
      .callsPerSecond: result.callsPerSecond,
    ]
    if scenario.isStream {
      figures[.reads] = result.readsPerCall
      figures[.firstByte] = result.firstByte.p50
      figures[.firstByte99] = result.firstByte.p99
    }
    if let delay = result.eventDelay {
      figures[.eventDelay] = delay.p50
      figures[.eventDelay99] = delay.p99
    }
    if let account = subject.account {
      let after = account.cpuNanoseconds()
      guard after > before else { throw BenchFault("\(subject.name) ended under load") }
      let used = after - before
      figures[.cpu] = Double(used) / 1_000 / Double(result.calls)
      figures[.resident] = resident
    }
    return figures
  }

  /// One run of load; memory is read in its middle, when every connection is at work.
  func load(
    _ scenario: Scenario, _ subject: RunningSubject, seconds: Double, rate: Double? = nil
  ) throws -> (result: LoadResult, resident: Double) {
    if scenario.isTLS {
      let (result, resident) = try TLSRig.load(
        subject, scenario: scenario, site: site, core: plan.loadCore, seconds: seconds
      ) { subject.account?.residentMebibytes() ?? 0 }
      try count(result, scenario, subject)
      return (result, resident)
    }
    var arguments = [
      plan.loadGenerator, "--port", String(subject.port), "--path",
      subject.path(scenario.upstream), "--seconds", String(seconds),
    ]
    if case .closed(let connections) = scenario.kind {
      arguments += ["--connections", String(connections)]
    }
    if let rate { arguments += ["--rate", String(rate)] }
    if let keys = subject.keys { arguments += ["--keys", keys] }
    if let bytes = scenario.bodyBytes { arguments += ["--body-bytes", String(bytes)] }
    if scenario.isStream { arguments.append("--stream") }
    if scenario.upstream == "paced" { arguments.append("--timestamps") }
    let generator = try ChildProcess(
      arguments, core: plan.loadCore, log: site.log("load"), readsOutput: true)
    usleep(UInt32(seconds * 500_000))
    let resident = subject.account?.residentMebibytes() ?? 0
    let (output, _) = generator.finish()
    guard let result = try? JSONDecoder().decode(LoadResult.self, from: output) else {
      let log = (try? String(contentsOfFile: site.log("load"), encoding: .utf8)) ?? ""
      throw BenchFault("no result of load on \(subject.name), \(scenario.name)\n\(log)")
    }
    try count(result, scenario, subject)
    return (result, resident)
  }

  private func count(
    _ result: LoadResult, _ scenario: Scenario, _ subject: RunningSubject
  ) throws {
    calls[subject.name, default: 0] += result.calls
    guard result.errors == 0, result.calls > 0 else {
      let first = result.firstError ?? "no call was answered"
      throw BenchFault("\(subject.name), \(scenario.name): \(result.errors) errors; \(first)")
    }
  }
}

/// A line to whoever waits; results alone go to stdout.
func progress(_ line: String) {
  FileHandle.standardError.write(Data((line + "\n").utf8))
}
