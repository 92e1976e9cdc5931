// Labels, tallies and verdicts: counted once, found again.

import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct DriftRecordsTests {
  private let hour = Timestamp(milliseconds: 3_600_000 * 100)

  private func filled(_ count: Int) throws -> (database: StoreDatabase, ids: [Int64]) {
    let database = try StoreDatabase.inMemory()
    let samples = (0..<count).map { number in
      SampleRecord(
        app: "chat", origin: "import", model: "m", time: Timestamp(milliseconds: Int64(number)),
        input: "", output: "\(number)")
    }
    return (database, try database.insertSamples(samples, storedAt: hour))
  }

  private func counts(
    in database: StoreDatabase, _ segment: String? = nil, _ since: Timestamp? = nil,
    _ until: Timestamp? = nil
  ) throws -> [String: Double] {
    try database.tallies(
      app: "chat", classifier: "c", version: "1", segment: segment, since: since, until: until
    ).reduce(into: [:]) { counts, row in counts[row.label, default: 0] += row.count }
  }

  @Test func labelsAreKeptByVersionAndTheFirstStays() throws {
    let (database, ids) = try filled(3)
    func record(_ version: String, _ labels: [Int64: String]) throws -> Int {
      try database.recordLabels(
        app: "chat", classifier: "c", version: version,
        rows: labels.map { LabelRow(sample: $0, label: $1, hour: hour) })
    }
    #expect(try record("1", [ids[0]: "yes"]) == 1)
    #expect(try record("1", [ids[0]: "no", ids[1]: "no", 999: "gone"]) == 1)
    #expect(try record("2", [ids[0]: "maybe"]) == 1)
    #expect(
      try database.labels(classifier: "c", version: "1", sampleIDs: ids + [999])
        == [ids[0]: "yes", ids[1]: "no"])
    #expect(
      try database.labels(classifier: "c", version: "2", sampleIDs: ids) == [ids[0]: "maybe"])
    #expect(try database.labels(classifier: "d", version: "1", sampleIDs: ids).isEmpty)
  }

  @Test func aRepeatedRunCountsNothingTwice() throws {
    let (database, ids) = try filled(10)
    let rows = ids.map { id in
      LabelRow(
        sample: id, label: id % 3 == 0 ? "refusal" : "answer", segment: "m", hour: hour, weight: 20)
    }
    for _ in 0..<3 {
      try database.recordLabels(app: "chat", classifier: "c", version: "1", rows: rows)
    }
    let counts = try self.counts(in: database)
    let refusals = ids.count { $0 % 3 == 0 }
    #expect(counts == ["refusal": Double(refusals * 20), "answer": Double((10 - refusals) * 20)])
  }

  @Test func talliesOutliveTheirSamples() throws {
    let (database, ids) = try filled(4)
    let rows = ids.map { LabelRow(sample: $0, label: "x", hour: hour) }
    try database.recordLabels(app: "chat", classifier: "c", version: "1", rows: rows)
    #expect(
      try database.pruneSamples(olderThan: hour.adding(milliseconds: 1), bytesMax: .max) == 4)
    #expect(try database.labels(classifier: "c", version: "1", sampleIDs: ids).isEmpty)
    #expect(try counts(in: database) == ["x": 4])
  }

  @Test func talliesAreBoundedByHourAndSegment() throws {
    let (database, ids) = try filled(8)
    let rows = ids.enumerated().map { index, id in
      LabelRow(
        sample: id, label: "l", segment: index % 2 == 0 ? "a" : "b",
        hour: hour.adding(milliseconds: Int64(index / 2) * 3_600_000))
    }
    try database.recordLabels(app: "chat", classifier: "c", version: "1", rows: rows)
    func count(_ segment: String?, _ since: Timestamp?, _ until: Timestamp?) throws -> Double? {
      try counts(in: database, segment, since, until)["l"]
    }
    let second = hour.adding(milliseconds: 3_600_000)
    #expect(try count(nil, nil, nil) == 8 && count("a", nil, nil) == 4)
    #expect(try count("a", second, nil) == 3 && count("a", nil, second) == 1)
    #expect(try count("c", nil, nil) == nil)
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
