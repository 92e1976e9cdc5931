// Every recording under samples/metered, from its bytes to the nanodollar: what is read of it, at
// the prices beside it, against sums that another program made (samples/metered/make_costs.py).

import Foundation
import Metering
import Providers
import Testing

@testable import App

/// What a recording's sibling file says of its cost.
private struct Expected: Decodable {
  var operation: String
  /// The model asked for, where the answer does not name the one that ran.
  var asked_model: String?
  var cost_nanodollars: Int64?
}

@Suite struct MeteredCostTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "samples/metered")

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

  private static func expected(of answer: String) throws -> Expected {
    let file = folder.appending(path: answer + ".expected.json")
    return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
  }

  @Test func mostRecordingsHaveACost() throws {
    let costs = try Self.answers.compactMap { try Self.expected(of: $0).cost_nanodollars }
    #expect(costs.count >= 50 && Self.answers.count > costs.count)
    #expect(costs.allSatisfy { $0 > 0 })
  }

  @Test(arguments: answers)
  func costsWhatTheOtherProgramSays(answer: String) throws {
    let expected = try Self.expected(of: answer)
    let operation = try #require(
      Providers.Operation.allCases.first { "\($0)" == expected.operation })
    let reader =
      answer.hasSuffix(".json")
      ? operation.answerReader() : operation.streamReader(hidesUsage: false)
    try Data(contentsOf: Self.folder.appending(path: answer)).withUnsafeBytes {
      _ = reader.feed($0)
    }
    _ = reader.finish()
    let reading = reader.reading
    let now = Timestamp(milliseconds: 1_795_000_000_000)
    let model = expected.asked_model ?? reading.responseModel
    let asked = Self.book.price(model: model, at: now)
    let cost = reading.usage.flatMap {
      Self.book.cost(
        of: $0, otherModels: reading.otherModels, model: model, asked: asked,
        responseModel: reading.responseModel, serviceTier: reading.served, at: now)
    }
    #expect(cost?.amount.nanodollars == expected.cost_nanodollars)
    #expect(cost?.isPartial != true, "a bucket has no price")
  }
}
