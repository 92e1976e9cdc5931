// Every recording under samples, from its bytes to the nanodollar: what is read of it, at the
// prices of samples/metered, against sums that another program made (make_costs.py there).

import Foundation
import Metering
import Providers
import Testing

@testable import App
@testable import Gateway

/// What a recording costs.
private struct Expected: Decodable {
  var operation: String
  /// Of the results of a batch: the job's kind.
  var job: String?
  /// The model asked for, where the answer does not name the one that ran.
  var asked_model: String?
  var cost_nanodollars: Int64?
}

@Suite struct MeteredCostTests {
  private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "samples")
  private static let folder = samples.appending(path: "metered")

  static let answers: [String] = {
    let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    return (files ?? []).filter { $0.hasSuffix(".expected.json") }.sorted()
      .map { String($0.dropLast(".expected.json".count)) }
  }()

  private static let book: PriceBook = {
    let text = (try? String(contentsOf: folder.appending(path: "prices.yaml"), encoding: .utf8))
    let (file, faults) = PriceFileTests.read(text ?? "")
    precondition(faults.isEmpty && !file.models.isEmpty, "\(faults)")
    return file.book()
  }()

  private static let now = Timestamp(milliseconds: 1_795_000_000_000)

  private static func expected(of answer: String) throws -> Expected {
    let file = folder.appending(path: answer + ".expected.json")
    return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
  }

  private static func operation(_ expected: Expected) throws -> Providers.Operation {
    try #require(Providers.Operation.allCases.first { "\($0)" == expected.operation })
  }

  @Test func mostRecordingsHaveACost() throws {
    let costs = try Self.answers.compactMap { try Self.expected(of: $0).cost_nanodollars }
    #expect(costs.count >= 70 && Self.answers.count > costs.count)
    #expect(costs.allSatisfy { $0 > 0 })
  }

  @Test(arguments: answers.filter { !$0.hasSuffix(".jsonl") })
  func costsWhatTheOtherProgramSays(answer: String) throws {
    try Self.check(Self.folder.appending(path: answer), Self.expected(of: answer))
  }

  @Test func whatIsRehearsedCostsWhatTheOtherProgramSays() throws {
    let folder = Self.samples.appending(path: "recorded")
    let files = try JSONDecoder().decode(
      [String: Expected].self, from: Data(contentsOf: folder.appending(path: "expected.json")))
    #expect(files.count >= 30)
    for (name, expected) in files {
      try Self.check(folder.appending(path: name), expected)
    }
  }

  private static func check(_ file: URL, _ expected: Expected) throws {
    let operation = try operation(expected)
    let reader =
      file.pathExtension == "json"
      ? operation.answerReader() : operation.streamReader(hidesUsage: false)
    try Data(contentsOf: file).withUnsafeBytes { _ = reader.feed($0) }
    _ = reader.finish()
    let reading = reader.reading
    let model = expected.asked_model ?? reading.responseModel
    let asked = book.price(model: model, at: now)
    let cost = reading.usage.flatMap {
      book.cost(
        of: $0, otherModels: reading.otherModels, model: model, asked: asked,
        responseModel: reading.responseModel, serviceTier: reading.served, at: now)
    }
    #expect(cost?.amount.nanodollars == expected.cost_nanodollars, "\(file.lastPathComponent)")
    #expect(cost?.isPartial != true, "a bucket of \(file.lastPathComponent) has no price")
  }

  /// A batch at its own rates; the calls of a session, each by itself.
  @Test(arguments: answers.filter { $0.hasSuffix(".jsonl") })
  func manyAnswersCostWhatTheOtherProgramSays(answer: String) throws {
    let expected = try Self.expected(of: answer)
    let body = try Data(contentsOf: Self.folder.appending(path: answer))
    let cost =
      try FollowedJob.Kind.allCases.first { "\($0)" == expected.job }
      .map { try Self.costOfBatch(body, $0, try Self.operation(expected)) }
      ?? Self.costOfSession(body)
    #expect(cost.amount.nanodollars == expected.cost_nanodollars)
    #expect(!cost.isPartial)
  }

  private static func costOfBatch(
    _ body: Data, _ kind: FollowedJob.Kind, _ operation: Providers.Operation
  ) throws -> CallCost {
    var reader = try #require(JobResultsReader(kind, operation))
    let job = FollowedJob(
      kind: kind, upstream: "u", path: "/", id: "j", model: "", inputTokens: 1, outputTokens: 1,
      status: 200, startedAt: now)
    var tally = BatchTally(job, prices: book)
    body.withUnsafeBytes { reader.feed($0) { tally.add($0) } }
    reader.finish { tally.add($0) }
    return tally.cost
  }

  private static func costOfSession(_ body: Data) -> CallCost {
    let reader = RealtimeReader()
    var sum = CallCost.zero
    for line in body.split(separator: UInt8(ascii: "\n")) {
      Array(line).withUnsafeBytes { reader.feed($0) }
      switch reader.endMessage() {
      case .responseEnded(let reading), .transcribed(let reading):
        guard let usage = reading.usage else { continue }
        let model = reading.responseModel
        sum.add(
          book.cost(
            of: usage, otherModels: [], model: model, asked: book.price(model: model, at: now),
            responseModel: model, serviceTier: reading.served, at: now))
      case .responseBegan, nil: continue
      }
    }
    return sum
  }
}
