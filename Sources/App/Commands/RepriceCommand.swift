// Charging calls anew that were charged at a wrong price.

import ArgumentParser
import Foundation
import Metering
import Store

struct RepriceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reprice",
    abstract: "Charge calls anew that were charged at a wrong price.",
    discussion: """
      Example:  leeway reprice --from 2026-11-01 --model gpt-4o-mini
                leeway reprice --from 2026-11-01 --model gpt-4o-mini --reason 'wrong book' --yes
      Put the price right in thresholds/prices/ first. Each call is charged at the price of the \
      moment at which it was made. Without --yes nothing is changed: the calls and what they would \
      cost are shown. What was charged first stays recorded beside the new charge, and the budgets \
      of the windows in which the calls were made move by the difference.
      """)

  @OptionGroup var policy: PolicyOptions
  @Option(help: "From: an ISO 8601 time, a date, or a span back from now such as 24h or 7d.")
  var from: String
  @Option(help: "Up to, not including; as --from.") var to: String?
  @Option(help: "Only this app's calls.") var app: String?
  @Option(help: "Only calls of this model, asked for or run.") var model: String?
  @Option(help: "Only calls to this upstream.") var upstream: String?
  @Option(help: "Why, for the record.") var reason = "a price was put right"
  @Flag(help: "Do it.") var yes = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let settings = try policy.load()
    if let app { _ = try policy.app(app, in: settings) }
    try check(upstream, in: settings)
    let now = Clock.now()
    let start = try TimeArgument.read(from, now: now, option: "--from")
    let end = try to.map { try TimeArgument.read($0, now: now, option: "--to") }
    guard start < end ?? now.adding(milliseconds: 1) else {
      throw ValidationError("--from must be before --to.")
    }
    try reportingFaults {
      let store = try Installation.openStore(settings.gateway)
      var plan = RepricingPlan(
        filter: .init(app: app, upstream: upstream, model: model),
        books: Dictionary(
          settings.gateway.upstreams.map { ($0.name, settings.prices(of: $0.name)) },
          uniquingKeysWith: { first, _ in first }))
      try store.forEachChargedCall(since: start, until: end ?? now.adding(milliseconds: 1)) {
        plan.add($0)
      }
      var numbers: [Int64] = []
      if yes {
        numbers = try plan.place(in: store, actor: Actor.current, reason: reason, at: now)
      }
      if json { return try Console.json(Encoded(plan, numbers)) }
      print(plan)
      if let last = numbers.last { try follow(through: last, store, calls: plan.charges.count) }
    }
  }

  private func check(_ upstream: String?, in settings: Settings) throws {
    let names = settings.gateway.upstreams.map(\.name)
    guard let upstream, !names.contains(upstream) else { return }
    Console.error(
      "leeway: there is no upstream '\(upstream)'. Upstreams: "
        + "\(names.sorted().joined(separator: ", ")).")
    throw ExitCode(64)
  }

  private func print(_ plan: RepricingPlan) {
    if plan.changed.isEmpty {
      Console.line("No call of this span was charged at another price than the books say.")
    } else {
      PricedCalls.table(plan.changed, at: "AT THE BOOKS' PRICES")
    }
    if plan.unchanged > 0 { Console.line("Charged right: \(Self.calls(plan.unchanged)).") }
    for skip in RepricingPlan.Skip.allCases {
      guard let count = plan.skipped[skip] else { continue }
      Console.line("Left as they are: \(Self.calls(count)) \(skip.text).")
    }
    if !plan.changed.isEmpty, !yes {
      Console.line("Nothing was changed. Say --yes to charge these calls anew.")
    }
  }

  private static func calls(_ count: Int64) -> String { count == 1 ? "1 call" : "\(count) calls" }

  /// Waits until the gateway has done it, and says how far it is; not for ever: it may not run.
  private func follow(through last: Int64, _ store: StoreDatabase, calls: Int) throws {
    let progress = ProgressLine()
    var done = try store.repricedThrough()
    let first = done
    var quiet = ContinuousClock.now
    while done < last {
      Thread.sleep(forTimeInterval: 0.1)
      let now = try store.repricedThrough()
      if now > done {
        done = now
        quiet = .now
        progress.show("charged anew", Int(done - first), of: Int(last - first))
      }
      if ContinuousClock.now - quiet > .seconds(Self.patienceSeconds) { break }
    }
    progress.end()
    if done >= last {
      Console.line("Charged \(Self.calls(Int64(calls))) anew.")
    } else {
      Console.line(
        "Asked for. The gateway charges them anew when it runs: repricings \(done + 1) to \(last).")
    }
  }

  private static let patienceSeconds = 3

  struct Encoded: Encodable {
    var changed: [PricedCalls.Encoded]
    var unchanged: Int64
    var skipped: [String: Int64]
    /// The numbers of the repricings that were asked for.
    var repricings: [Int64]

    init(_ plan: RepricingPlan, _ numbers: [Int64]) {
      changed = PricedCalls.encoded(plan.changed)
      unchanged = plan.unchanged
      skipped = Dictionary(
        uniqueKeysWithValues: plan.skipped.map { ($0.key.rawValue, $0.value) })
      repricings = numbers
    }
  }
}
