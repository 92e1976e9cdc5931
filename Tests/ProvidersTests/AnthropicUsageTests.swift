// What a call's iterations cost, and at whose price: nothing left out, nothing twice.

import Metering
import Testing

@testable import Providers

@Suite struct AnthropicUsageTests {
  struct Entry: Sendable {
    var kind: AnthropicIteration.Kind
    var model: String
    var input: Int64
    var output: Int64

    var figures: AnthropicFigures {
      var figures = AnthropicFigures()
      figures.set(.input, input)
      figures.set(.output, output)
      return figures
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var total: (input: Int64, output: Int64)
    var entries: [Entry]
    var own: (input: Int64, output: Int64)
    var others: [Entry] = []
    var isInconsistent = false

    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(
      name: "the totals are of the attempt that served: the declined one is billed beside them",
      total: (160, 20),
      entries: [message("claude-a", 150, 2), message("claude-b", 160, 20)],
      own: (160, 20), others: [message("claude-a", 150, 2)]),
    Case(
      name: "the totals are of all attempts: the declined one is taken out of them",
      total: (310, 22),
      entries: [message("claude-a", 150, 2), message("claude-b", 160, 20)],
      own: (160, 20), others: [message("claude-a", 150, 2)]),
    Case(
      name: "an attempt that used several turns, behind two that were declined",
      total: (300, 30),
      entries: [
        message("claude-a", 90, 1), message("claude-c", 80, 2), message("claude-b", 100, 10),
        message("claude-b", 200, 20),
      ],
      own: (300, 30), others: [message("claude-a", 90, 1), message("claude-c", 80, 2)]),
    Case(
      name: "turns without a model are the answering one's",
      total: (30, 3), entries: [message("", 10, 1), message("", 20, 2)], own: (30, 3)),
    Case(
      name: "the serving entry says its model by another name: it is not billed twice",
      total: (160, 20),
      entries: [message("claude-a", 150, 2), message("claude-b-20260101", 160, 20)],
      own: (0, 0), others: [message("claude-a", 150, 2), message("claude-b-20260101", 160, 20)]),
    Case(
      name: "totals that no entries explain stand, with every other model's entry beside them",
      total: (161, 20),
      entries: [message("claude-a", 150, 2), message("claude-b", 160, 20)],
      own: (161, 20), others: [message("claude-a", 150, 2)], isInconsistent: true),
    Case(
      name: "a declined attempt, an adviser and a compaction, each beside the totals",
      total: (160, 20),
      entries: [
        Entry(kind: .compaction, model: "", input: 900, output: 90),
        message("claude-a", 150, 2),
        Entry(kind: .adviser, model: "claude-c", input: 70, output: 7),
        message("claude-b", 160, 20),
      ],
      own: (1060, 110),
      others: [
        message("claude-a", 150, 2), Entry(kind: .adviser, model: "claude-c", input: 70, output: 7),
      ]),
    Case(
      name: "an adviser that the totals hold is taken out of them",
      total: (230, 27),
      entries: [
        Entry(kind: .adviser, model: "claude-c", input: 70, output: 7),
        message("claude-b", 160, 20),
      ],
      own: (160, 20), others: [Entry(kind: .adviser, model: "claude-c", input: 70, output: 7)]),
  ]

  static func message(_ model: String, _ input: Int64, _ output: Int64) -> Entry {
    Entry(kind: .message, model: model, input: input, output: output)
  }

  @Test(arguments: cases)
  func iterationsAreBilledOnceAtTheirOwnPrice(_ expected: Case) throws {
    var usage = AnthropicUsage()
    usage.total.set(.input, expected.total.input)
    usage.total.set(.output, expected.total.output)
    for entry in expected.entries {
      usage.add(
        AnthropicIteration(kind: entry.kind, model: entry.model, figures: entry.figures))
    }
    let read = try #require(usage.normalised(model: "claude-b"))
    #expect(read.usage.inputUncached == expected.own.input)
    #expect(read.usage.outputText == expected.own.output)
    func text(_ model: String, _ input: Int64, _ output: Int64) -> String {
      "\(model) \(input) \(output)"
    }
    #expect(
      Set(read.others.map { text($0.model, $0.usage.inputUncached, $0.usage.outputText) })
        == Set(expected.others.map { text($0.model, $0.input, $0.output) }))
    #expect(read.others.count == expected.others.count)
    #expect(read.isInconsistent == expected.isInconsistent)
  }
}
