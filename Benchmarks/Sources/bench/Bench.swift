// bench: starts mock, subjects and load, and says what each subject cost.

import ArgumentParser
import Foundation
import Measures
import Sockets

@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure Leeway beside nginx and haproxy, on loopback.",
    discussion: """
      Examples:  scripts/bench
                 scripts/bench --quick --scenario json --subject nginx --subject leeway
      """)

  @Option(help: "The leeway binary.") var leeway = ".build/release/leeway"
  @Option(help: "A scenario to run; may be repeated. Default: all.") var scenario: [String] = []
  @Option(help: "A subject to take; may be repeated. Default: all.") var subject: [String] = []
  @Option(help: "Rounds.") var rounds: Int?
  @Option(help: "Seconds of one measurement.") var seconds: Double?
  @Flag(help: "Three short rounds: to see that it works, not to quote.") var quick = false
  @Flag(help: "Compare with thresholds/bench.yaml; exit 1 where something falls short.")
  var check = false
  @Flag(help: "Count instructions a call with callgrind too; alone with --scenario none.")
  var instructions = false
  @Option(help: "Write the results as JSON to this file.") var json: String?
  @Option(help: "The subject's core.") var subjectCore = 1
  @Option(help: "The core of load and mock.") var loadCore = 0

  func validate() throws {
    let known = Scenario.all.map(\.name) + ["none"]
    for name in scenario where !known.contains(name) {
      throw ValidationError("there is no scenario '\(name)': \(known.joined(separator: ", "))")
    }
  }

  func run() throws {
    let limit = Int(TCPSocket.raiseDescriptorLimit(to: 65_536))
    let directory = NSTemporaryDirectory() + "leeway-bench-\(getpid())"
    let files = FileManager.default
    try files.createDirectory(
      atPath: directory, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o755])
    defer { try? files.removeItem(atPath: directory) }
    let signals = ChildProcess.endAllOnSignal {
      try? FileManager.default.removeItem(atPath: directory)
    }
    defer { for source in signals { source.cancel() } }
    do {
      try measure(in: directory, descriptorLimit: limit)
    } catch let fault as BenchFault {
      ChildProcess.waitWhereEnding()
      progress("bench: \(fault)")
      throw ExitCode(70)
    }
  }

  private func measure(in directory: String, descriptorLimit: Int) throws {
    let tools = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    var site = Site(
      directory: directory, upstreamPorts: [:], subjectCore: subjectCore,
      descriptorLimit: descriptorLimit, repository: FileManager.default.currentDirectoryPath,
      leewayPath: leeway)
    let mock = try ChildProcess(
      [tools + "/mock-upstream"], core: loadCore, log: site.log("mock"), readsOutput: true)
    defer { mock.stop() }
    site.upstreamPorts = try ports(of: mock)
    let plan = RunPlan(
      rounds: rounds ?? (quick ? 3 : 5), seconds: seconds ?? (quick ? 1 : 3), loadCore: loadCore,
      loadGenerator: tools + "/load-generator", subjects: subject.isEmpty ? nil : Set(subject))
    let chosen = Scenario.all.filter { scenario.isEmpty || scenario.contains($0.name) }
    var provider: ChildProcess?
    defer { provider?.stop() }
    if chosen.contains(where: \.isTLS) {
      let (process, port) = try TLSRig.start(site, core: loadCore)
      provider = process
      site.upstreamPorts["tls"] = port
    }
    let runner = Runner(site: site, plan: plan)
    for one in chosen {
      try runner.run(one)
    }
    var measurements = runner.measurements
    if instructions {
      site.leewayPath = try Instructions.stripped(leeway, site: site)
      measurements += try Instructions(
        site: site, plan: plan, preload: tools + "/libsigsuspend.so"
      ).measure()
    }
    let report = Report(
      machine: Machine.describe(), notes: runner.notes, reference: "nginx",
      measurements: measurements)
    print(Table.text(report))
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(report).write(to: URL(fileURLWithPath: json))
    }
    if check { try compare(report) }
  }

  /// - Throws: `ExitCode(1)` where a ceiling was not kept, or was not measured though its scenario
  ///   was asked for.
  private func compare(_ report: Report) throws {
    let file = "thresholds/bench.yaml"
    let ceilings = try Ceilings(yaml: String(contentsOfFile: file, encoding: .utf8))
    var short: [String] = []
    for ceiling in ceilings.ceilings {
      guard scenario.isEmpty || scenario.contains(ceiling.scenario) else { continue }
      let finding = ceiling.judge(report)
      let outcome = finding.outcome.rawValue
      print(outcome.padding(toLength: 14, withPad: " ", startingAt: 0) + finding.text)
      if finding.outcome != .kept { short.append(finding.text) }
    }
    guard short.isEmpty else {
      progress("bench: \(short.count) of \(file) fell short:\n  " + short.joined(separator: "\n  "))
      throw ExitCode(1)
    }
  }

  private func ports(of mock: ChildProcess) throws -> [String: UInt16] {
    var text = ""
    while !text.hasSuffix("ready\n") {
      let data = mock.readAvailable()
      guard !data.isEmpty else { throw BenchFault("the mock upstream did not start") }
      text += String(decoding: data, as: UTF8.self)
    }
    let pairs = text.split(separator: "\n").compactMap { line -> (String, UInt16)? in
      let words = line.split(separator: " ")
      guard words.count == 2, let port = UInt16(words[1]) else { return nil }
      return (String(words[0]), port)
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }
}

/// Where the figures come from: without it they mean little to anybody else.
enum Machine {
  static func describe() -> [String: String] {
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
    return [
      "cpu": model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
        ?? "",
      "cores": String(ProcessInfo.processInfo.processorCount),
      "system": ProcessInfo.processInfo.operatingSystemVersionString,
      "date": ISO8601DateFormatter().string(from: Date()),
    ]
  }
}
