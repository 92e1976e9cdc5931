// The output bound that is put into a request: the same bytes as before, and one more member.

import TestSupport
import Testing

@testable import Providers

@Suite struct OutputBoundTests {
  @Test(arguments: [
    (#"{"model":"m"}"#, #"{"max_completion_tokens":64,"model":"m"}"#),
    (" {\n \"model\":\"m\" } ", " {\"max_completion_tokens\":64,\n \"model\":\"m\" } "),
    ("{}", #"{"max_completion_tokens":64}"#), ("{ }", #"{"max_completion_tokens":64 }"#),
    // A null is no bound, and a second member beside it could count or not.
    (
      #"{"model":"m","max_completion_tokens": null ,"n":2}"#,
      #"{"model":"m","max_completion_tokens": 64 ,"n":2}"#
    ),
    (#"{"max_completion_\u0074okens":null}"#, #"{"max_completion_\u0074okens":64}"#),
    (#"{"max_tokens":null}"#, #"{"max_completion_tokens":64,"max_tokens":null}"#),
    // What is not at the top is not the request's own.
    (
      #"{"metadata":{"max_completion_tokens":null}}"#,
      #"{"max_completion_tokens":64,"metadata":{"max_completion_tokens":null}}"#
    ),
    // Both splices: at one byte, and either before the other.
    (
      #"{"stream":true}"#,
      #"{"max_completion_tokens":64,"stream_options":{"include_usage":true},"stream":true}"#
    ),
    (
      #"{"stream":true,"stream_options":{}}"#,
      #"{"max_completion_tokens":64,"stream":true,"stream_options":{"include_usage":true}}"#
    ),
    (
      #"{"stream_options":{"include_usage":false},"stream":true,"max_completion_tokens":null}"#,
      #"{"stream_options":{"include_usage":true},"stream":true,"max_completion_tokens":64}"#
    ),
    (
      #"{"max_completion_tokens":null,"stream_options":null,"stream":true}"#,
      #"{"max_completion_tokens":64,"stream_options":{"include_usage":true},"stream":true}"#
    ),
    (
      #"{"stream":true,"max_completion_tokens":null}"#,
      #"{"stream_options":{"include_usage":true},"stream":true,"max_completion_tokens":64}"#
    ),
  ])
  func isPutInAndNothingElseIsTouched(body: String, wanted: String) throws {
    let bytes = Array(body.utf8)
    let request = try Operation.chatCompletions.peek(bytes)
    #expect(request.outputTokensMax == nil)
    let splices = request.splices(outputBound: 64)
    let result = splices.applied(to: bytes)
    #expect(String(decoding: result, as: UTF8.self) == wanted)
    #expect(result.count == bytes.count + splices.growth)
    let again = try Operation.chatCompletions.peek(result)
    #expect(again.outputTokensMax == request.outputTokensMax(withBound: 64))
    #expect(again.usageSplice == nil)
  }

  @Test func whatIsReservedIsWhatTheUpstreamReads() throws {
    for (body, most) in [
      (#"{"model":"m"}"#, 64), (#"{"n":3}"#, 192), (#"{"best_of":4,"n":2}"#, 256),
      (#"{"max_output_tokens":10}"#, 64), (#"{"max_output_tokens":100,"n":2}"#, 200),
    ] as [(String, Int64)] {
      let bytes = Array(body.utf8)
      let request = try Operation.chatCompletions.peek(bytes)
      #expect(request.outputTokensMax(withBound: 64) == most)
      let result = request.splices(outputBound: 64).applied(to: bytes)
      #expect(try Operation.chatCompletions.peek(result).outputTokensMax == most)
    }
    #expect(
      try Operation.chatCompletions.peek(Array(#"{"n":2}"#.utf8)).outputTokensMax(withBound: .max)
        == .max)
  }

  @Test func withoutABoundABodyThatIsNoStreamStaysAsItIs() throws {
    let request = try Operation.chatCompletions.peek(Array(#"{"model":"m"}"#.utf8))
    #expect(request.splices(outputBound: nil).isEmpty)
  }

  /// Random bodies, streams or not, with a null bound or none: taking the inserted bytes out again
  /// gives the body, and the members are those that were there and the ones put in.
  @Test func randomRequestsKeepEveryOtherByteAndMember() throws {
    for seed in UInt64(1)...400 {
      var maker = JSONMaker(generator: SeededGenerator(seed: seed))
      let inner = maker.document()
      var dice = SeededGenerator(seed: seed + 1_000)
      let isStream = dice.chance(0.5)
      var members = [#""metadata":\#(inner)"#, #""z":\#(inner)"#]
      if isStream { members.append(#" "stream" : true "#) }
      if isStream, dice.chance(0.3) { members.append(#""stream_options": null"#) }
      if dice.chance(0.3) { members.append(#""max_completion_tokens":null "#) }
      members.swapAt(0, dice.int(0...members.count - 1))
      let body = Array("{\(members.joined(separator: ","))}".utf8)
      let splices = try Operation.chatCompletions.peek(body).splices(outputBound: 4_096)
      #expect(splices.count == (isStream ? 2 : 1))
      let result = splices.applied(to: body)
      try check(result, splices, from: body)
      guard case .object(let after)? = tree(result), case .object(let before)? = tree(body) else {
        Issue.record("not JSON any more (seed \(seed))")
        return
      }
      let own = ["max_completion_tokens", "stream_options"]
      #expect(
        after.filter { !own.contains($0.name) } == before.filter { !own.contains($0.name) })
      #expect(after.filter { $0.name == own[0] }.count == 1)
      #expect(after.filter { $0.name == own[1] }.count == (isStream ? 1 : 0))
      #expect(try Operation.chatCompletions.peek(result).outputTokensMax == 4_096)
    }
  }

  /// Walks the result beside the body: outside the splices every byte is the body's.
  private func check(_ result: [UInt8], _ splices: [BodySplice], from body: [UInt8]) throws {
    var (read, written) = (0, 0)
    for splice in splices {
      let kept = splice.range.lowerBound - read
      try require(kept >= 0, "splices out of order")
      #expect(result[written..<written + kept] == body[read..<splice.range.lowerBound])
      written += kept
      #expect(result[written...].starts(with: splice.inserting))
      written += splice.inserting.count
      read = splice.range.upperBound
    }
    #expect(result[written...] == body[read...])
  }
}
