// Bringing existing logs in as samples, and listing what there is.

import ArgumentParser
import Foundation
import Metering
import Store

struct SamplesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samples", abstract: "Import and list samples.",
    subcommands: [Import.self, List.self])

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Import samples from JSON Lines or CSV, so that existing logs can be a baseline.",
      discussion: """
        Example:  leeway samples import log.csv --app support --map output=answer --map model=model
        Keys: output, input, model, time, reference, label.NAME, tag.NAME.
        A file with a faulty row is refused whole.
        """)

    @OptionGroup var policy: PolicyOptions
    @Argument(help: "A file of JSON Lines (.jsonl, .ndjson) or CSV (.csv) with a header line.")
    var file: String
    @Option(help: "The app that the samples belong to.") var app: String
    @Option(help: "KEY=COLUMN: which column holds what; repeat it.") var map: [String] = []

    func run() throws {
      let settings = try policy.load()
      _ = try policy.app(app, in: settings)
      let now = Clock.now()
      let mapping: SampleMapping
      do { mapping = try SampleMapping(parsing: map) } catch {
        Console.error("leeway: \(error)")
        throw ExitCode(64)
      }
      try reportingFaults {
        let store = try Installation.openStore(settings.gateway)
        let count = try SampleImport(file: file, app: app, mapping: mapping, now: now)
          .run(into: store)
        Console.line("Imported \(count) samples of app '\(app)' from \(file).")
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List samples, the newest first.",
      discussion: "Example:  leeway samples list --app support --where model=gpt-4o --limit 20")

    @OptionGroup var policy: PolicyOptions
    @Option(help: "The app.") var app: String
    @OptionGroup var period: PeriodOptions
    @Option(help: "At most this many.") var limit = 50
    @Flag(help: "Print JSON, with the whole texts.") var json = false

    func run() throws {
      let settings = try policy.load()
      _ = try policy.app(app, in: settings)
      let store = try Installation.openStore(settings.gateway)
      let now = Clock.now()
      let span = SampleSpan(
        app: app, filter: try period.filter(), since: try period.start(at: now),
        until: try period.end(at: now))
      let samples = try store.samples(of: span, limit: max(limit, 0), latestFirst: true)
      if json { return try Console.json(samples.map(Row.init)) }
      Console.table(
        ["TIME", "MODEL", "STATUS", "ORIGIN", "OUTPUT"],
        samples.map { sample in
          [
            Moment.text(sample.time), sample.model, String(sample.status), sample.origin,
            Excerpt.line(sample.output),
          ]
        }, rightAligned: [2])
      let total = try store.sampleCount(of: span)
      Console.error("\(samples.count) of \(total) samples.")
    }

    private struct Row: Encodable {
      var id: Int64?
      var call: UInt64?
      var time: String
      var model: String
      var status: Int
      var origin: String
      var input: String
      var output: String
      var reference: String?
      var fields: [String: String]
      var tags: [String: String]
      var finishReason: String
      var latencyMilliseconds: Int64
      var probability: Double

      init(_ sample: SampleRecord) {
        id = sample.id
        call = sample.call?.number
        time = Moment.text(sample.time)
        model = sample.model
        status = sample.status
        origin = sample.origin
        input = sample.input
        output = sample.output
        reference = sample.reference
        fields = sample.fields
        tags = sample.tags
        finishReason = sample.finishReason
        latencyMilliseconds = sample.latencyMilliseconds
        probability = sample.probability
      }
    }
  }
}
