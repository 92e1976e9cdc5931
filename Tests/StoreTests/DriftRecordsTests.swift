// Labels, tallies and verdicts: counted once, found again.

import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct DriftRecordsTests {
  private let hour = Timestamp(milliseconds: 3_600_000 * 100)
  private let first = Instrument(classifier: "c", version: "1")
  private let second = Instrument(classifier: "c", version: "2")

  /// Samples a minute apart, the probabilities in turn.
  private func filled(
    _ count: Int, probabilities: [Double] = [1], in database: StoreDatabase? = nil
  ) throws -> (database: StoreDatabase, samples: [SampleRecord]) {
    let database = try database ?? StoreDatabase.inMemory()
    let samples = (0..<count).map { number in
      SampleRecord(
        app: "chat", origin: "import", model: number % 3 == 0 ? "m" : "n",
        time: hour.adding(milliseconds: Int64(number) * 60_000), input: "", output: "\(number)",
        probability: probabilities[number % probabilities.count])
    }
    try database.insertSamples(samples, storedAt: hour)
    return (database, try database.samples(of: SampleSpan(app: "chat")))
  }

  private func rows(
    _ samples: [SampleRecord], _ label: (SampleRecord) -> String
  ) -> [LabelRow] {
    samples.map {
      LabelRow(
        sample: $0.id ?? 0, label: label($0), time: $0.time, probability: $0.probability)
    }
  }

  @Test func labelsAreKeptByVersionAndTheFirstStays() throws {
    let (database, samples) = try filled(3)
    let ids = samples.compactMap(\.id)
    func record(_ instrument: Instrument, _ labels: [Int64: String]) throws -> Int {
      try database.recordLabels(
        app: "chat",
        [instrument: labels.map { LabelRow(sample: $0, label: $1, time: hour) }])
    }
    #expect(try record(first, [ids[0]: "yes"]) == 1)
    #expect(try record(first, [ids[0]: "no", ids[1]: "no", 999: "gone"]) == 1)
    #expect(try record(second, [ids[0]: "maybe"]) == 1)
    #expect(
      try database.labels(by: first, sampleIDs: ids + [999]) == [ids[0]: "yes", ids[1]: "no"])
    #expect(try database.labels(by: second, sampleIDs: ids) == [ids[0]: "maybe"])
    let unknown = Instrument(classifier: "d", version: "1")
    #expect(try database.labels(by: unknown, sampleIDs: ids).isEmpty)
    #expect(
      try database.instruments([first, unknown], thatLabelled: ids)
        == [ids[0]: [first], ids[1]: [first]])
  }

  @Test func talliesAreTheLabelsThatWereEverStored() throws {
    let (database, samples) = try filled(40, probabilities: [1, 0.05])
    let some = rows(samples) { ($0.id ?? 0) % 3 == 0 ? "refusal" : "answer" }
    for part in [some, some, Array(some.prefix(7))] {
      try database.recordLabels(app: "chat", [first: part, second: Array(part.prefix(20))])
    }
    let span = SampleSpan(app: "chat")
    let tallies = try database.tallies(app: "chat", by: [first, second])
    #expect(tallies[first]?.reduce(0) { $0 + $1.count } == 40)
    #expect(tallies[second]?.reduce(0) { $0 + $1.count } == 20)
    #expect(Set(tallies[first]?.map(\.block) ?? []).count == 3)
    #expect(Set(tallies[first]?.map(\.probability) ?? []) == [1, 0.05])
    #expect(try database.countLabels(of: span, by: [first, second]) == tallies)
    // They outlive the samples; the labels do not.
    let end = hour.adding(milliseconds: 1)
    #expect(try database.pruneSamples(olderThan: end, bytesMax: .max) == 40)
    #expect(try database.tallies(app: "chat", by: [first, second]) == tallies)
    #expect(try database.countLabels(of: span, by: [first])[first] == [])
    #expect(try database.samplesEverStored(app: "chat") == 40)
  }

  @Test func aSpanIsCountedByItsConditionsAndEdges() throws {
    let (database, samples) = try filled(60, probabilities: [1, 0.5])
    try database.recordLabels(
      app: "chat", [first: rows(samples) { $0.model == "m" ? "x" : "y" }])
    let edges = (hour.adding(milliseconds: 900_000), hour.adding(milliseconds: 2_700_000))
    let inner = try database.tallies(
      app: "chat", by: [first], since: edges.0, until: edges.1)
    #expect(inner[first]?.reduce(0) { $0 + $1.count } == 30)
    let span = SampleSpan(app: "chat", since: edges.0, until: edges.1)
    #expect(try database.countLabels(of: span, by: [first]) == inner)
    let odd = SampleSpan(
      app: "chat", filter: try SampleFilter(parsing: ["model=m"]),
      since: hour.adding(milliseconds: 1), until: hour.adding(milliseconds: 600_001))
    let counted = try database.countLabels(of: odd, by: [first])[first] ?? []
    #expect(Set(counted.map(\.label)) == ["x"])
    #expect(counted.reduce(0) { $0 + $1.count } == 3)
  }

  @Test func whatHasNoLabelIsFoundBySpansOfBlocks() throws {
    let (database, samples) = try filled(60)
    let all = hour..<hour.adding(milliseconds: 3_600_000)
    #expect(try database.blocksToLabel(app: "chat", by: [first]) == [all])
    try database.recordLabels(
      app: "chat",
      [first: rows(samples) { _ in "x" }, second: rows(samples.dropLast(16)) { _ in "x" }])
    #expect(try database.blocksToLabel(app: "chat", by: [first]).isEmpty)
    let rest = hour.adding(milliseconds: 1_800_000)..<all.upperBound
    #expect(try database.blocksToLabel(app: "chat", by: [first, second]) == [rest])
    let span = SampleSpan(app: "chat", since: rest.lowerBound, until: rest.upperBound)
    let missing = try database.unlabelledSamples(
      of: span, by: [first, second], after: nil, limit: 100)
    #expect(missing.map(\.id) == samples.suffix(16).map(\.id))
    let page = try database.unlabelledSamples(
      of: span, by: [first, second], after: missing[3], limit: 5)
    #expect(page == Array(missing[4..<9]))
    // What is gone cannot be labelled any more.
    let other = try StoreDatabase.inMemory()
    try filled(3, in: other)
    #expect(try other.blocksToLabel(app: "chat", by: [first]).count == 1)
    try other.pruneSamples(olderThan: hour.adding(milliseconds: 1), bytesMax: .max)
    #expect(try other.blocksToLabel(app: "chat", by: [first]).isEmpty)
    // Another sample in a block that was complete.
    try filled(1, in: database)
    let block = hour..<hour.adding(milliseconds: SampleBlock.milliseconds)
    #expect(try database.blocksToLabel(app: "chat", by: [first]) == [block])
  }

  @Test func samplesAreFoundByTheirLabel() throws {
    let (database, samples) = try filled(10)
    try database.recordLabels(
      app: "chat", [first: rows(samples) { ($0.id ?? 0) % 2 == 0 ? "even" : "odd" }])
    let span = SampleSpan(app: "chat")
    func found(_ label: String, _ limit: Int) throws -> [Int64] {
      try database.samples(of: span, labelled: label, by: first, limit: limit).compactMap(\.id)
    }
    #expect(try found("even", 2) == [2, 4] && found("odd", 9) == [1, 3, 5, 7, 9])
    #expect(try found("none", 9).isEmpty)
    #expect(
      try database.sampleIDsByLabel(of: span, by: first)
        == ["even": [2, 4, 6, 8, 10], "odd": [1, 3, 5, 7, 9]])
    #expect(try database.sampleIDsByLabel(of: span, by: second).isEmpty)
  }

  @Test(arguments: [-1, 0, 1, 899_999, 900_000, -900_000, -900_001, 1_700_000_000_123])
  func aBlockBeginsAtAQuarter(milliseconds: Int64) throws {
    let start = SampleBlock.start(of: Timestamp(milliseconds: milliseconds))
    #expect(SampleBlock.isEdge(start))
    #expect((0..<900_000).contains(milliseconds - start.milliseconds))
    // As SQL has it, for what was there before.
    let database = try StoreDatabase.inMemory()
    let value = try database.read("asking") { db in
      try Int64.fetchOne(
        db,
        sql: "SELECT \(SampleBlock.startSQL) FROM (SELECT ? AS time) AS samples",
        arguments: [milliseconds])
    }
    #expect(value == start.milliseconds)
  }

  @Test func labelsOfAnOlderStoreAreKeptAndCounted() throws {
    let database = try StoreDatabase.inMemory(upTo: "isolation-1")
    try database.write("filling") { db in
      for id in 1...30 {
        try db.execute(
          sql: """
            INSERT INTO samples (id, app, origin, model, time, status, input, output, fields, tags,
              finish_reason, latency_ms, probability, stored_at, bytes)
            VALUES (?, 'chat', 'import', 'm', ?, 200, '', '', '{}', '{}', '', -1, ?, 0, 0)
            """,
          arguments: [id, hour.milliseconds + Int64(id) * 60_000, id % 2 == 0 ? 1 : 0])
        for version in ["1", "2"] where version == "1" || id <= 10 {
          try db.execute(
            sql: "INSERT INTO labels VALUES (?, 'c', ?, ?)",
            arguments: [id, version, id % 3 == 0 ? "x" : "y"])
        }
      }
    }
    try database.migrate()
    let span = SampleSpan(app: "chat")
    let tallies = try database.tallies(app: "chat", by: [first, second])
    #expect(tallies[first]?.reduce(0) { $0 + $1.count } == 30)
    #expect(tallies[second]?.filter { $0.label == "x" }.reduce(0) { $0 + $1.count } == 3)
    #expect(try database.countLabels(of: span, by: [first, second]) == tallies)
    #expect(try database.blocksToLabel(app: "chat", by: [first]).isEmpty)
    #expect(try database.labels(by: second, sampleIDs: [3, 4, 11]) == [3: "x", 4: "y"])
    try database.pruneSamples(olderThan: hour, bytesMax: .max)
    #expect(try database.labels(by: first, sampleIDs: [3]).isEmpty)
  }

  @Test func theLatestVerdictOfEachClassifierIsFound() throws {
    let database = try StoreDatabase.inMemory()
    var stored: [VerdictRow] = []
    for (night, verdict) in ["ok", "watch", "drifted"].enumerated() {
      for classifier in ["refusal", "format"] where night < 2 || classifier == "format" {
        var row = VerdictRow(
          at: hour.adding(milliseconds: Int64(night)), app: "chat", classifier: classifier,
          baseline: "march", periodStart: hour, periodEnd: hour.adding(milliseconds: 5),
          verdict: verdict, detailJSON: #"{"psi":0.31}"#, report: "2026-11-23/chat.html")
        row.id = try database.insertVerdict(row)
        stored.append(row)
      }
    }
    let latest = try database.latestVerdicts()
    #expect(latest == [stored[4], stored[2]])
    #expect(try database.latestVerdicts(app: "chat") == latest)
    #expect(try database.latestVerdicts(app: "other").isEmpty)
    #expect(try database.verdicts(app: "chat", limit: 2) == [stored[4], stored[3]])
  }
}
