// wire-fuzz: reads generated connections with our HTTP/1.1 readers and with NIOHTTP1's, and stops
// at the first that they understand differently. scripts/fuzz builds and starts it.

import ArgumentParser
import Foundation
import Wire
import WireFuzzing

enum Sides: String, ExpressibleByArgument, CaseIterable {
  case request, response, both

  var all: [WireSide] {
    switch self {
    case .request: [.request]
    case .response: [.response]
    case .both: [.request, .response]
    }
  }
}

@main
struct WireFuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wire-fuzz",
    abstract: "Compare our HTTP/1.1 readers with NIOHTTP1's over generated connections.",
    discussion: """
      Every case is made from its seed alone. The first seeds are those of --seed, and up.
      Ends with 0 without a difference, 1 with one, 130 when interrupted.
      Example:  wire-fuzz --cases 1 --seed 4711 --side response
      """)

  @Option(help: "How many cases, both sides together.") var cases = 10_000_000
  @Option(help: "The first seed.") var seed: UInt64 = 1
  @Option(help: "Whose bytes: request, response or both in turn.") var side = Sides.both
  @Option(help: "Threads; each reads cases of its own.") var threads =
    ProcessInfo.processInfo.activeProcessorCount
  @Option(help: "The folder for a case that shows a difference.") var folder = "."

  func validate() throws {
    guard cases > 0, threads > 0 else {
      throw ValidationError("--cases and --threads must be 1 or more")
    }
  }

  func run() throws {
    let campaign = Campaign(
      cases: cases, seed: seed, sides: side.all, threads: min(threads, cases))
    campaign.start()
    let screen = Screen(cases: cases)
    let interrupt = Interrupt { campaign.stop() }
    while !campaign.wait(seconds: 0.2) { screen.show(campaign.tally) }
    interrupt.cancel()
    screen.finish(campaign.tally, sides: side.all)
    if let found = campaign.found {
      try report(found)
      throw ExitCode(1)
    }
    if interrupt.wasSent { throw ExitCode(130) }
  }

  /// Prints a difference and keeps its smallest case.
  private func report(_ found: FuzzCase) throws {
    let runner = FuzzRunner()
    let small = found.smallest { runner.difference($0) != nil }
    guard let difference = runner.difference(small) else { return }
    let file = URL(filePath: folder).appending(path: "wire-\(found.side)-\(found.seed).bin")
    try Data(small.bytes).write(to: file)
    let text = String(decoding: small.bytes, as: UTF8.self).debugDescription
    print(
      """
      Difference with --side \(found.side) --seed \(found.seed) --cases 1: \(difference.reason)
      bytes:  \(text)
      cuts:   \(small.cuts)  methods: \(small.methods.map { "\($0.name)" })
      limits: \(small.limits)
      ours:   \(difference.own)
      NIO's:  \(difference.other)
      The smallest case is in \(file.path); before it was \(found.bytes.count) bytes long.
      """)
  }
}
