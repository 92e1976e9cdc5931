// When jobs are asked after, and what the answers come to: the rules without a clock or a socket.

import Metering
import Providers
import TestSupport
import Testing

@testable import Gateway

@Suite struct FollowScheduleTests {
  static let start = Timestamp(milliseconds: 1_000_000)

  static let job = FollowedJob(
    kind: .backgroundResponse, upstream: "main", path: "/v1/responses", id: "resp_1",
    model: "gpt-test", inputTokens: 1, outputTokens: 1, status: 200, startedAt: start)

  private static func watch(_ state: JobProgress.State?) -> JobWatch {
    JobWatch(job, state: state, pace: .init(first: 1_000, most: 60_000))
  }

  private static func told(
    _ state: JobProgress.State, usage: Usage? = nil, textBytes: Int64 = 0
  ) -> JobAnswer {
    var reading = CallReading()
    reading.usage = usage
    reading.outputTextBytes = textBytes
    return .told(JobProgress(state: state, reading: reading))
  }

  // MARK: Waits

  @Test func waitsDoubleUpToTheLongest() {
    var schedule = PollSchedule(.init(first: 1_000, most: 60_000))
    let waits = (0..<9).map { _ in schedule.next(dice: 0) }
    #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  }

  @Test func chanceTakesAtMostAQuarter() {
    var schedule = PollSchedule(.init(first: 1_000, most: 60_000))
    #expect(schedule.next(dice: 0.999) == 751)
    #expect(schedule.next(dice: 0.5) == 1_750)
    #expect(schedule.slowest(dice: 0) == 60_000)
    #expect(schedule.next(dice: 0) == 60_000)
  }

  @Test(
    arguments: [
      (0, 0), (1, 0), (0, 5), (10, 3), (.max, .max), (1, .max),
    ] as [(Int64, Int64)])
  func anyPaceWaitsSomeTime(first: Int64, most: Int64) {
    var schedule = PollSchedule(.init(first: first, most: most))
    var last: Int64 = 0
    for _ in 0..<80 {
      let wait = schedule.next(dice: 0)
      #expect(wait >= max(last, 1) && wait <= max(most, 1))
      last = wait
    }
  }

  // MARK: Answers

  @Test func whatGoesOnIsAskedAfterAgain() {
    var watch = Self.watch(.queued)
    #expect(watch.begin(dice: 0) == 1_000)
    for (answer, wait) in [
      (Self.told(.queued), 2_000), (Self.told(.running), 4_000), (.failed, 8_000),
      (Self.told(.unknown), 16_000), (.missing, 32_000), (.forbidden(status: 401), 60_000),
    ] as [(JobAnswer, Int64)] {
      #expect(watch.take(answer, at: Self.start, dice: 0) == .wait(milliseconds: wait))
    }
  }

  @Test func endsAreTheirAnswers() {
    let used = Usage(source: .reported)
    func end(_ answer: JobAnswer, from state: JobProgress.State? = .running) -> JobEnd? {
      var watch = Self.watch(state)
      guard case .end(let end) = watch.take(answer, at: Self.start, dice: 0) else { return nil }
      return end
    }
    #expect(end(Self.told(.ended, usage: used))?.charge == .reportedElseEstimate)
    #expect(end(Self.told(.ended, usage: used))?.reading.usage == used)
    #expect(end(Self.told(.ended))?.ending == .completed)
    #expect(end(Self.told(.failed))?.charge == .reportedElseNothing)
    #expect(end(Self.told(.failed))?.ending == .upstreamError)
    // Cancelled before it began; in the middle; and while nobody looked.
    #expect(end(Self.told(.cancelled), from: .queued)?.charge == .reportedElseNothing)
    #expect(end(Self.told(.cancelled), from: .running)?.charge == .reportedElseEstimate)
    #expect(end(Self.told(.cancelled), from: nil)?.charge == .reportedElseEstimate)
    #expect(
      end(Self.told(.cancelled, textBytes: 1), from: .queued)?.charge == .reportedElseEstimate)
  }

  @Test func workThatWasSeenToBeginIsNotFree() {
    var watch = Self.watch(.queued)
    _ = watch.take(Self.told(.running), at: Self.start, dice: 0)
    _ = watch.take(Self.told(.queued), at: Self.start, dice: 0)
    guard case .end(let end) = watch.take(Self.told(.cancelled), at: Self.start, dice: 0) else {
      Issue.record("no end")
      return
    }
    #expect(end.charge == .reportedElseEstimate)
  }

  @Test func aJobIsGoneWhenItIsMissedThreeTimesInARow() {
    var watch = Self.watch(.running)
    let answers: [JobAnswer] = [.missing, .missing, .failed, .missing, .missing]
    for answer in answers {
      guard case .wait = watch.take(answer, at: Self.start, dice: 0) else {
        Issue.record("ended early")
        return
      }
    }
    let gone = JobEnd(
      charge: .reportedElseEstimate, reading: CallReading(), ending: .clientGone)
    #expect(watch.take(.missing, at: Self.start, dice: 0) == .end(gone))
  }

  @Test func theDeadlineEndsWhatTheProviderDoesNot() {
    let deadline = Self.job.deadline
    let late = JobEnd(charge: .reportedElseEstimate, reading: CallReading(), ending: .timeout)
    for answer in [
      Self.told(.queued), Self.told(.running), Self.told(.unknown), .failed, .missing,
      .forbidden(status: 403),
    ] {
      var watch = Self.watch(.running)
      #expect(
        watch.take(answer, at: deadline.adding(milliseconds: -7), dice: 0)
          == .wait(milliseconds: 7))
      #expect(watch.take(answer, at: deadline, dice: 0) == .end(late))
    }
    // What it says is believed even then.
    var watch = Self.watch(.running)
    guard
      case .end(let end) = watch.take(
        Self.told(.ended, usage: Usage(source: .reported)),
        at: deadline.adding(milliseconds: 9), dice: 0)
    else {
      Issue.record("no end")
      return
    }
    #expect(end.ending == .completed)
  }

  // MARK: The queue

  private enum QueueStep { case add(Int), take(Int64), put(Int), remove(Int) }

  /// No job is asked after twice at once, none beyond the bound, and none is forgotten.
  @Test func theQueueForgetsNothing() throws {
    try checkProperty(
      "queue", runs: 300, countMax: 80,
      generate: { generator -> QueueStep in
        switch generator.int(0...3) {
        case 0: .add(generator.int(0...9))
        case 1: .take(generator.int(0...30))
        case 2: .put(generator.int(0...9))
        default: .remove(generator.int(0...9))
        }
      },
      check: { steps in
        var queue = FollowQueue()
        var now: Int64 = 0
        var due: [CallID: Int64] = [:]
        var asked: Set<CallID> = []
        for step in steps {
          switch step {
          case .add(let number):
            let call = CallID(UInt64(number))
            if due[call] == nil, !asked.contains(call) { due[call] = now + Int64(number) }
            queue.add(call, Self.watch(nil), due: now + Int64(number))
          case .take(let span):
            now += span
            let ready = due.filter { $0.value <= now }.sorted {
              ($0.value, $0.key) < ($1.value, $1.key)
            }
            let wanted = ready.prefix(3 - asked.count).map(\.key)
            let taken = queue.takeDue(at: now, atATime: 3).map(\.call)
            try require(taken == wanted, "took \(taken), not \(wanted)")
            for call in taken { due[call] = nil }
            asked.formUnion(taken)
          case .put(let number):
            let call = CallID(UInt64(number))
            guard asked.remove(call) != nil else { continue }
            due[call] = now + 5
            queue.put(call, Self.watch(nil), due: now + 5)
          case .remove(let number):
            let call = CallID(UInt64(number))
            guard asked.remove(call) != nil else { continue }
            queue.remove(call)
          }
          try require(queue.count == due.count + asked.count, "\(queue.count) jobs")
          let next = asked.count < 3 ? due.values.min() : nil
          try require(queue.nextDue(atATime: 3) == next, "next")
        }
      })
  }
}
