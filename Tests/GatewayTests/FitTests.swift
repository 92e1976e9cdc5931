// Where the worst case does not fit but a useful answer would, the output bound is lowered.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct FitTests {
  private static let body =
    #"{"model":"gpt-open","messages":[{"role":"user","content":"hi"}]}"#

  /// One call of an app whose usual bound is 1,000 tokens, with so much money left.
  private func call(
    _ body: String = body, money: Int64, least: Int64? = 16, isOpenAI: Bool = false,
    fitsCallersBound: Bool = false
  ) async throws -> (answer: RawAnswer, sent: String?, reserved: Amounts?) {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: money, outputTokensDefault: 1_000,
      isOpenAI: isOpenAI,
      policy: {
        $0.fitTokensMin = least
        $0.fitsCallersBound = fitsCallersBound
      })
    let answer = try await fixture.call(GatewayFixture.request(body))
    try await fixture.stop()
    let reserved = try fixture.events().compactMap { event in
      if case .reserved(let reserved) = event.kind { reserved.amounts } else { nil }
    }
    return (answer, upstream.requests.first?.text, reserved.first)
  }

  private static func bound(_ answer: RawAnswer) -> Int64? {
    answer.header("x-leeway-output-bound").flatMap { Int64($0) }
  }

  @Test(arguments: [true, false]) func theBoundIsWhatTheMoneyLeftAllowsAndNoTokenMore(
    isOpenAI: Bool
  ) async throws {
    let money = TestPrice.cost(input: 500, output: 100).nanodollars
    let (answer, sent, reserved) = try await call(money: money, isOpenAI: isOpenAI)
    #expect(answer.status == 200)
    let bound = try #require(Self.bound(answer))
    #expect((100..<1_000).contains(bound))
    #expect(sent == #"{"max_completion_tokens":\#(bound),"# + Self.body.dropFirst())
    let held = try #require(reserved).money.nanodollars
    #expect(held <= money && held + 2_000 > money, "one more token would have fitted")
  }

  @Test func whatFitsIsLeftAlone() async throws {
    let (answer, _, _) = try await call(money: 1_000_000_000)
    #expect(Self.bound(answer) == 1_000)
  }

  @Test func anAnswerTooShortToBeOfUseIsRefused() async throws {
    let money = TestPrice.cost(input: 500, output: 100).nanodollars
    for least in [900, nil] as [Int64?] {
      let (answer, sent, _) = try await call(money: money, least: least)
      #expect(answer.header("x-leeway-denial") == "budget_exhausted")
      #expect(sent == nil)
    }
  }

  @Test func theCallersOwnBoundIsNotLowered() async throws {
    let money = TestPrice.cost(input: 500, output: 100).nanodollars
    let own = #"{"max_completion_tokens":900,"# + Self.body.dropFirst()
    #expect(try await call(own, money: money).answer.status == 429)
  }

  @Test(arguments: ["", #""stream":true,"#]) func unlessItsOwnerWantsThat(stream: String)
    async throws
  {
    let money = TestPrice.cost(input: 500, output: 100).nanodollars
    let own = #"{"max_completion_tokens":900,\#(stream)"max_tokens":7,"# + Self.body.dropFirst()
    let (answer, sent, reserved) = try await call(own, money: money, fitsCallersBound: true)
    #expect(answer.status == 200)
    let bound = try #require(Self.bound(answer))
    #expect((100..<900).contains(bound))
    #expect(sent?.contains(#""max_completion_tokens":\#(bound),\#(stream)"max_tokens":7"#) == true)
    #expect(sent?.contains("include_usage") == !stream.isEmpty)
    let held = try #require(reserved).money.nanodollars
    #expect(held <= money && held + 2_000 > money, "one more token would have fitted")
    // What is too short to be of use, and what fits, stay as they are.
    let short = try await call(own, money: money, least: 899, fitsCallersBound: true)
    #expect(short.answer.status == 429)
    let rich = try await call(own, money: 1_000_000_000, fitsCallersBound: true)
    #expect(Self.bound(rich.answer) == nil && rich.answer.status == 200)
  }
}
