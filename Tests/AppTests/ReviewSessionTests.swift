// What a person's line means while outputs are labelled.

import Store
import Testing

@testable import App

@Suite struct ReviewSessionTests {
  private let session = ReviewSession(
    items: [
      ReviewItem(sample: 1, predicted: "answer", answer: .label("partial")),
      ReviewItem(sample: 2, predicted: "refusal"),
    ], labels: ["answer", "refusal"])

  @Test func numbersWordsAndLettersAreUnderstood() {
    #expect(session.read("1") == .label("answer"))
    #expect(session.read(" 2 ") == .label("refusal"))
    // What somebody wrote before has a number of its own.
    #expect(session.read("3") == .label("partial"))
    #expect(session.read("=off  topic ") == .label("off topic"))
    #expect(session.read("= ANSWER") == .label("answer"))
    #expect(session.read("s") == .skip)
    #expect(session.read("q") == .quit)
  }

  @Test(arguments: ["", "0", "4", "-1", "=", "refusal", "S", "=__error__"])
  func whatIsUnclearIsAskedAgain(_ line: String) {
    guard case .unclear = session.read(line) else {
      Issue.record("'\(line)' was taken")
      return
    }
  }
}
