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
      (Self.told(.unknown), 16_000), (.failed, 32_000),
    ] as [(JobAnswer, Int64)] {
      #expect(watch.take(answer, at: Self.start, dice: 0) == .wait(milliseconds: wait))
    }
    // Nothing will be otherwise soon.
    for answer in [JobAnswer.missing, .forbidden(status: 401)] {
      var watch = Self.watch(.queued)
      #expect(watch.take(answer, at: Self.start, dice: 0) == .wait(milliseconds: 60_000))
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

  /// Results that cannot be read as a whole: believed when they stay so, or time is up.
  @Test func whatIsDoubtfulIsBelievedWhenItStaysTheSame() {
    func tally(_ tokens: Int64) -> BatchTally {
      var tally = BatchTally(Self.job, prices: TestPrice.book)
      var reading = CallReading()
      reading.usage = Usage(source: .reported)
      reading.usage?[.inputUncached] = tokens
      tally.add(reading)
      return tally
    }
    func end(_ answers: [JobAnswer], at now: Timestamp = Self.start) -> (steps: Int, end: JobEnd)? {
      var watch = Self.watch(.running)
      for (index, answer) in answers.enumerated() {
        if case .end(let end) = watch.take(answer, at: now, dice: 0) { return (index + 1, end) }
      }
      return nil
    }
    let (one, two) = (JobAnswer.doubtful(tally(1)), JobAnswer.doubtful(tally(2)))
    #expect(end([one, one, two, two, one, one]) == nil)
    let believed = end([
      one, two, .failed, two, .told(.init(state: .unknown, reading: .init())), two,
    ])
    #expect(believed?.steps == 6 && believed?.end.ending == .completed)
    #expect(believed?.end.reading.usage?.inputUncached == 2)
    #expect(believed?.end.counted?.isPartial == true)
    #expect(end([one, one, .counted(tally(3))])?.end.counted?.isPartial == false)
    let late = end([two], at: Self.job.deadline)
    #expect(late?.steps == 1 && late?.end == believed?.end)
  }

  // MARK: The queue

  private enum QueueStep { case add(Int), take(Int64), put(Int), remove(Int) }

  /// A queue that looks at everything each time.
  private struct PlainQueue {
    var due: [CallID: Int64] = [:]
    var asked: Set<CallID> = []
    let atATime: Int

    static func app(of call: CallID) -> String { "app \(call.number % 3)" }

    private func free(_ call: CallID) -> Bool {
      asked.count { Self.app(of: $0) == Self.app(of: call) } < atATime - asked.count
    }

    var next: Int64? { due.filter { free($0.key) }.values.min() }

    mutating func take(at now: Int64) -> [CallID] {
      var taken: [CallID] = []
      while true {
        let ready = due.filter { $0.value <= now && free($0.key) }.map { call, due in
          (asked.count { Self.app(of: $0) == Self.app(of: call) }, due, call)
        }
        guard let call = ready.min(by: <)?.2 else { return taken }
        due[call] = nil
        asked.insert(call)
        taken.append(call)
      }
    }
  }

  /// No job is asked after twice at once, none beyond the bound, and none is forgotten.
  @Test(arguments: [1, 3, 8]) func theQueueForgetsNothing(atATime: Int) throws {
    try checkProperty(
      "queue", runs: 300, countMax: 80,
      generate: { generator -> QueueStep in
        switch generator.int(0...3) {
        case 0: .add(generator.int(0...19))
        case 1: .take(generator.int(0...30))
        case 2: .put(generator.int(0...19))
        default: .remove(generator.int(0...19))
        }
      },
      check: { steps in
        var queue = FollowQueue()
        var plain = PlainQueue(atATime: atATime)
        var now: Int64 = 0
        for step in steps {
          switch step {
          case .add(let number):
            let call = CallID(UInt64(number))
            if plain.due[call] == nil, !plain.asked.contains(call) {
              plain.due[call] = now + Int64(number)
            }
            queue.add(
              call, of: PlainQueue.app(of: call), Self.watch(nil), due: now + Int64(number))
          case .take(let span):
            now += span
            let wanted = plain.take(at: now)
            let taken = queue.takeDue(at: now, atATime: atATime).map(\.call)
            try require(taken == wanted, "took \(taken), not \(wanted)")
          case .put(let number):
            let call = CallID(UInt64(number))
            if plain.asked.remove(call) != nil { plain.due[call] = now + 5 }
            queue.put(call, Self.watch(nil), due: now + 5)
          case .remove(let number):
            let call = CallID(UInt64(number))
            plain.asked.remove(call)
            queue.remove(call)
          }
          try require(queue.count == plain.due.count + plain.asked.count, "\(queue.count) jobs")
          try require(queue.nextDue(atATime: atATime) == plain.next, "next")
        }
      })
  }

  /// However many jobs an app has, and however long they take, another's is asked after.
  @Test func oneAppsManyJobsDoNotKeepAnothersOneWaiting() {
    var queue = FollowQueue()
    for number in 0..<10_000 {
      queue.add(CallID(UInt64(number)), of: "many", Self.watch(nil), due: Int64(number % 7))
    }
    let first = queue.takeDue(at: 10, atATime: 8)
    #expect(first.count == 4 && first.allSatisfy { $0.call.number % 7 == 0 })
    #expect(queue.nextDue(atATime: 8) == nil)
    queue.add(CallID(20_000), of: "one", Self.watch(nil), due: 9)
    #expect(queue.nextDue(atATime: 8) == 9)
    #expect(queue.takeDue(at: 10, atATime: 8).map(\.call) == [CallID(20_000)])
    // Its place is free again for whoever has the fewest.
    queue.remove(CallID(20_000))
    queue.remove(first[0].call)
    #expect(queue.takeDue(at: 10, atATime: 8).count == 1)
    #expect(queue.count == 9_999)
  }
}
