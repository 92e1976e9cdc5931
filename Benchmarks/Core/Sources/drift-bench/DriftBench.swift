// drift-bench: the sizes, powers and delays of the product's drift mathematics, by simulation.

import ArgumentParser
import Drift
import Foundation

@main
struct DriftBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift-bench",
    abstract: "Simulate the continuous alarm and the nightly test.",
    discussion: """
      Examples:  scripts/drift-bench --check
                 scripts/drift-bench --quick --section alarm
      """)

  enum Section: String, CaseIterable, ExpressibleByArgument {
    case speed
    case alarm
    case baseline
    case classes
    case open
    case wobble
    case night
    case weighted
  }

  @Option(help: "A section to run; may be repeated. Default: all.") var section: [Section] = []
  @Option(help: "Runs of each stream of section alarm; a quarter of them elsewhere.")
  var repetitions: Int?
  @Option(help: "Nights of each kind.") var nights: Int?
  @Option(help: "Seed; the same seed gives the same figures, on any number of cores.")
  var seed: UInt64 = 1
  @Option(help: "Cores.") var cores = ProcessInfo.processInfo.activeProcessorCount
  @Flag(help: "A minute, a fiftieth of the runs: to see that it works, not to quote.")
  var quick = false
  @Flag(help: "Compare with thresholds/drift-bench.yaml; exit 1 where something falls short.")
  var check = false
  @Option(help: "Write the figures as JSON to this file.") var json: String?

  func validate() throws {
    guard cores > 0, repetitions ?? 1 > 0, nights ?? 1 > 0 else {
      throw ValidationError("cores, repetitions and nights must be above 0")
    }
    if quick, check {
      throw ValidationError("--quick runs too little for --check: leave one of them out")
    }
  }

  func run() throws {
    let simulation = Simulation(seed: seed, cores: cores)
    let runs = repetitions ?? (quick ? 40 : 2_000)
    let standard = AlarmTables(simulation: simulation, repetitions: runs)
    let others = AlarmTables(simulation: simulation, repetitions: max(runs / 4, 1))
    let nightly = NightTables(
      simulation: simulation, repetitions: nights ?? (quick ? 200 : 10_000))
    var figures: [Figure] = []
    for one in section.isEmpty ? Section.allCases : section {
      let found =
        switch one {
        case .speed: try Speed.figures()
        case .alarm: try standard.fourClasses()
        case .baseline: try others.baselineSizes()
        case .classes: try others.manyClasses()
        case .open: try others.openLabels()
        case .wobble: try others.wobbling()
        case .night: try nightly.nights()
        case .weighted: try nightly.weighted()
        }
      table(found)
      figures += found
    }
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "never", negativeInfinity: "none", nan: "none")
      try encoder.encode(figures).write(to: URL(fileURLWithPath: json))
    }
    if check { try compareWithCeilings(figures) }
  }

  private func table(_ figures: [Figure]) {
    let rows = figures.map {
      [$0.scenario, $0.rule, $0.name, number($0.value), "[\(number($0.low)), \(number($0.high))]"]
    }
    let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
      print(cells.joined(separator: "  "))
    }
    print()
  }

  /// - Throws: `ExitCode(1)` where a ceiling was not kept.
  private func compareWithCeilings(_ figures: [Figure]) throws {
    let file = "thresholds/drift-bench.yaml"
    let chosen = section.isEmpty ? nil : Set(section.map(\.rawValue))
    var short = 0
    for ceiling in try DriftCeilings(path: file).ceilings {
      if let chosen, !chosen.contains(ceiling.section) { continue }
      for (isKept, text) in ceiling.judge(figures) {
        print(text)
        if !isKept { short += 1 }
      }
    }
    guard short == 0 else {
      FileHandle.standardError.write(Data("drift-bench: \(short) of \(file) fell short\n".utf8))
      throw ExitCode(1)
    }
  }
}
