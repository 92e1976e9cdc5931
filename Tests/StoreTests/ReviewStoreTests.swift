// What is kept of reviews.

import Metering
import Testing

@testable import Store

@Suite struct ReviewStoreTests {
  private let now = Timestamp(milliseconds: 1_764_000_000_000)

  @Test func aRoundIsReadBackAndTheLastAnswerStands() throws {
    let store = try StoreDatabase.inMemory()
    let round = ReviewRound(
      app: "a", classifier: "c", version: "v", drawnAt: now, filter: ["model=m"], since: now,
      until: now.adding(milliseconds: 5), population: ["x": 7, "y|\"": 1])
    let items = [9, 4, 7].map { ReviewItem(sample: $0, predicted: "x") }
    let id = try store.insertReview(round, items: items)
    #expect(try store.reviewItems(round: id) == items)
    var stored = round
    stored.id = id
    #expect(try store.reviews(app: "a", classifier: "c") == [stored])
    #expect(try store.reviews(app: "a", classifier: "d") == [])
    #expect(try store.reviews(app: "b", classifier: "c") == [])
    for answer in [ReviewItem.Answer.skipped, .label("y"), .label("x")] {
      try store.recordReview(round: id, sample: 4, answer: answer, reviewer: "Ada", at: now)
      let seen = try store.reviewItems(round: id)[1]
      #expect(seen.answer == answer)
      #expect(seen.reviewer == "Ada")
    }
    #expect(try store.reviewItems(round: id)[0].answer == nil)
  }

  @Test func aSampleThatIsGoneIsNil() throws {
    let store = try StoreDatabase.inMemory()
    let ids = try store.insertSamples(
      [SampleRecord(app: "a", origin: "import", model: "m", time: now, input: "i", output: "o")],
      storedAt: now)
    #expect(try store.sample(id: ids[0])?.output == "o")
    #expect(try store.sample(id: ids[0] + 1) == nil)
  }
}
