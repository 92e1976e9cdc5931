// The example under reports/example is what the program writes: made here from synthetic outputs,
// and compared byte for byte with what is checked in.

import Analyzer
import Foundation
import Metering
import Store
import TestSupport
import Testing

@Suite struct ExampleReportTests {
  /// reports/example of this checkout.
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("reports/example")

  /// Set to "1" to write the example anew after a wanted change.
  private static let writes = ProcessInfo.processInfo.environment["LEEWAY_WRITE_EXAMPLE"] == "1"

  @Test func exampleIsWhatTheProgramWrites() throws {
    let fixture = try NightFixture()
    let policy = AppDriftPolicy(
      app: "support-triage", owner: "Ada Lovelace <ada@example.com>",
      classifiers: [
        .refusal(name: "refusal"),
        .regex(name: "queue", pattern: #"Queue: \[([a-z]+)\]"#, match: .last),
      ],
      baseline: "autumn")
    try store(SyntheticSupport(refusalsInThousand: 22, otherInThousand: 60), in: fixture)
    let baseline = try pinBaseline(
      name: "autumn", reason: "two weeks after launch, 200 answers read by the team",
      policy: policy, conditions: ["model=triage-2026-09"],
      until: NightFixture.night.start(in: .gmt), zone: .gmt, at: fixture.now, in: fixture.store)
    try fixture.baselines.save(baseline)
    try fixture.run().run(NightFixture.night, policies: [policy], at: fixture.now)

    let files = try fixture.files()
    #expect(
      Set(files.keys) == [
        "support-triage.html", "support-triage.json", "support-triage.md", "index.html",
      ])
    for (name, data) in files.sorted(by: { $0.key < $1.key }) {
      let file = Self.folder.appendingPathComponent(name)
      if Self.writes {
        try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        try data.write(to: file)
      }
      let checkedIn = try? Data(contentsOf: file)
      #expect(
        checkedIn == data,
        "\(name) is not what the program writes; if that is wanted, run with LEEWAY_WRITE_EXAMPLE=1"
      )
    }
  }

  private func store(_ support: SyntheticSupport, in fixture: NightFixture) throws {
    var support = support
    for day in stride(from: 14, through: 1, by: -1) {
      try add(
        support.day(180), on: NightFixture.night.adding(days: -day), model: "triage-2026-09",
        fixture)
    }
    support.refusalsInThousand = 95
    support.otherInThousand = 130
    try add(support.day(400), on: NightFixture.night, model: "triage-2026-11", fixture)
  }

  private func add(
    _ outputs: [String], on date: CivilDate, model: String, _ fixture: NightFixture
  ) throws {
    let start = date.start(in: .gmt)
    let samples = outputs.enumerated().map { index, output in
      SampleRecord(
        app: "support-triage", origin: "gateway", model: model,
        time: start.adding(milliseconds: Int64(index) * 180_000), input: "ticket", output: output)
    }
    try fixture.store.insertSamples(samples, storedAt: fixture.now)
  }
}

/// Answers of a support assistant that never was, from a seed.
struct SyntheticSupport {
  var refusalsInThousand: Int
  var otherInThousand: Int
  private var generator = SeededGenerator(seed: 20_261_122)

  init(refusalsInThousand: Int, otherInThousand: Int) {
    self.refusalsInThousand = refusalsInThousand
    self.otherInThousand = otherInThousand
  }

  mutating func day(_ count: Int) -> [String] { (0..<count).map { _ in answer() } }

  private mutating func answer() -> String {
    let queue = pick(
      generator.int(0...999) < otherInThousand
        ? ["other"] : ["billing", "billing", "billing", "delivery", "delivery", "account"])
    guard generator.int(0...999) >= refusalsInThousand else {
      let refusals = [
        "I'm sorry, but I can't help with refunds for orders placed through a partner shop.",
        "Unfortunately I am not able to discuss another customer's invoice.",
        "I can't assist with changing the delivery address after dispatch.",
      ]
      return pick(refusals) + "\n\nQueue: [\(queue)]"
    }
    let openings = [
      "Thank you for writing.", "Happy to help with that.", "I looked into your order.",
    ]
    let bodies = [
      "Your invoice of 14 March was paid; the second charge will be returned within five days.",
      "The parcel left our warehouse this morning and should arrive on Thursday.",
      "I have sent a link to reset your password to ada@example.com.",
      "Your plan changes on the first of next month; nothing has to be done until then.",
    ]
    return pick(openings) + " " + pick(bodies) + "\n\nQueue: [\(queue)]"
  }

  private mutating func pick(_ list: [String]) -> String {
    list[generator.int(0...(list.count - 1))]
  }
}
