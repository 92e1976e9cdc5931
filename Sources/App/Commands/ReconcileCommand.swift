// A provider's own usage or cost export beside the ledger.

import ArgumentParser
import Foundation
import Metering
import Providers
import Store

struct ReconcileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconcile",
    abstract: "Compare a provider's usage or cost export with the ledger.",
    discussion: """
      Example:  leeway reconcile openai-usage.json
                leeway reconcile anthropic-cost.csv --key apikey_01Ab=anthropic --tolerance 0.5%
      Takes pages of OpenAI's organization usage and costs, of Anthropic's usage and cost reports, \
      and CSV as their consoles export it; several files of one kind are one export. Compared are \
      days in UTC, models and keys, as far as the export tells them apart. Ends with 0 where all \
      is equal and with 1 where something is not.
      """)

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "The export: pages as JSON, or CSV with a head row.") var files: [String]
  @Option(help: "Only calls to this upstream; repeat it. Else all of the export's provider.")
  var upstream: [String] = []
  @Option(help: "ID=UPSTREAM: a key of the export, by id or name, and where it is used; repeat it.")
  var key: [String] = []
  @Option(help: "How far figures may lie apart, as a share of the larger.") var tolerance = "0%"
  @Flag(help: "List what is equal too.") var all = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    guard let tolerance = ReconcileTolerance(tolerance) else {
      throw ValidationError("--tolerance '\(tolerance)' is no share: write 0.5%.")
    }
    guard !files.isEmpty else { throw ValidationError("Name the export.") }
    let settings = try policy.load()
    try check(upstream, in: settings.gateway)
    try reportingFaults {
      let export = try readExport()
      let upstreams = try upstreams(for: export, settings.gateway)
      let keys = try KeyChoices(key, export, upstreams: upstreams)
      let now = Clock.now()
      let ledger = try readLedger(export.span, upstreams, settings.gateway)
      let books = upstreams.map { settings.prices(of: $0) }
      let result = Reconciliation(
        export, ledger: ledger,
        rules: Reconciliation.Rules(
          upstreams: keys.upstreams,
          pairs: ModelPairs { name in
            books.lazy.map { $0.model(of: name) }.first { $0 != name } ?? name
          },
          tolerance: tolerance))
      let report = ReconcileReport(
        result: result, export: export, upstreams: upstreams, unmapped: keys.unmapped, now: now)
      if json { try Console.json(report.encoded) } else { report.print(all: all) }
      if !result.isEqual { throw ExitCode(1) }
    }
  }

  private func readExport() throws(ReconcileFault) -> ProviderExport {
    let progress = ProgressLine()
    defer { progress.end() }
    return try ExportFile.read(files) { done, total in
      if total >= Self.longBytes { progress.show("reading the export", done, of: total) }
    }
  }

  /// Reading less takes no time worth a bar.
  private static let longBytes = 16 << 20

  private func readLedger(
    _ span: Range<Timestamp>, _ upstreams: [String], _ settings: GatewaySettings
  ) throws -> [LedgerRow] {
    var days = LedgerDays(span: span, upstreams: Set(upstreams))
    try Installation.openStore(settings).forEachCall(
      in: LedgerDays.states,
      since: span.lowerBound.adding(milliseconds: -LedgerDays.longestCallMilliseconds),
      until: span.upperBound
    ) { days.add($0) }
    return days.rows
  }

  // MARK: - Upstreams

  private func check(_ names: [String], in settings: GatewaySettings) throws {
    let known = settings.upstreams.map(\.name)
    for name in names where !known.contains(name) {
      throw ValidationError(
        "There is no upstream '\(name)': \(NearestName.advice(for: name, among: known)).")
    }
  }

  /// The upstreams whose calls the provider counts.
  private func upstreams(
    for export: ProviderExport, _ settings: GatewaySettings
  ) throws -> [String] {
    if !upstream.isEmpty { return Set(upstream).sorted() }
    // What Leeway answers itself is in no provider's export.
    let real = settings.upstreams.filter { !$0.isRehearsal }
    let dialects = Set(real.map(\.dialect))
    guard let dialect = export.dialect ?? (dialects.count == 1 ? dialects.first : nil) else {
      throw ValidationError(
        "The export does not say whose it is: name the upstream with --upstream. Upstreams: "
          + "\(settings.upstreams.map(\.name).sorted().joined(separator: ", ")).")
    }
    let names = real.filter { $0.dialect == dialect }.map(\.name).sorted()
    guard !names.isEmpty else {
      throw ValidationError(
        "The export is of \(dialect.rawValue), and no upstream of that dialect is in gateway.yaml: "
          + "name one with --upstream.")
    }
    return names
  }
}

/// Which key of the export is used at which upstream, as `--key` says it.
struct KeyChoices {
  /// Upstreams by the export's key ids.
  private(set) var upstreams: [String: String] = [:]
  /// Keys of the export for which nothing is said.
  private(set) var unmapped: [String]

  init(_ choices: [String], _ export: ProviderExport, upstreams names: [String]) throws {
    let keys = export.keys
    for choice in choices {
      let parts = choice.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard parts.count >= 2, let upstream = parts.last, names.contains(upstream) else {
        throw ValidationError(
          "--key '\(ShownKey.text(choice))' is no ID=UPSTREAM; upstreams that are compared: "
            + "\(names.joined(separator: ", ")).")
      }
      let name = ShownKey.text(parts.dropLast().joined(separator: "="))
      let ids = keys.filter { $0 == name || export.keyNames[$0]?.contains(name) == true }
      guard let id = ids.first, ids.count == 1 else {
        let what = ids.isEmpty ? "no key" : "more than one key"
        throw ValidationError(
          "The export has \(what) '\(name)'. Its keys: "
            + "\(keys.isEmpty ? "none" : keys.sorted().joined(separator: ", ")).")
      }
      guard upstreams[id, default: upstream] == upstream else {
        throw ValidationError("Two upstreams are said for the key '\(name)'.")
      }
      upstreams[id] = upstream
    }
    unmapped = keys.subtracting(upstreams.keys).sorted()
  }
}
