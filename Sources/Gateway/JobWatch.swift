// What becomes of a followed job, answer by answer. Pure: it is handed the answers and the time.

import Metering
import Providers

/// What asking after a job brought.
enum JobAnswer: Sendable {
  case told(JobProgress)
  /// It has ended, and its results were read to their end.
  case counted(BatchTally)
  /// It has ended, and some of its results are results, but not all.
  case doubtful(BatchTally)
  /// The provider does not know the job.
  case missing
  /// The provider does not take our credential.
  case forbidden(status: Int)
  /// No answer, or one that says nothing of the job.
  case failed
}

/// How a followed job ended, in the terms in which any call ends.
struct JobEnd: Equatable, Sendable {
  var charge: Call.Charge
  var reading: CallReading
  var ending: CallEnding
  /// What the results cost, where there are some; units without a price are charged what was held.
  var counted: CallCost?
}

extension JobEnd {
  /// Of a batch whose answers were counted.
  init(_ tally: BatchTally) {
    self.init(
      charge: .reportedElseEstimate, reading: tally.reading, ending: .completed,
      counted: tally.reading.usage == nil ? nil : tally.cost)
  }
}

/// One job that is being followed.
struct JobWatch: Sendable {
  enum Step: Equatable, Sendable {
    /// Ask again after so many milliseconds.
    case wait(milliseconds: Int64)
    case end(JobEnd)
  }

  /// A job may be unknown for a moment, where it was made a moment ago or a router errs: it is one
  /// that was deleted when it is missed so often, at the longest waits.
  static let missesMax = 3
  /// Results that cannot be read, or only a part of them, are believed when they were read so often
  /// and were always the same.
  static let sameReadingsMin = 3

  let job: FollowedJob
  /// Whether work was seen to begin; nil: nobody looked, so it may have.
  private var hasBegun: Bool?
  private var misses = 0
  /// What doubtful results come to, and how often they did in a row.
  private var doubt: (end: JobEnd, readings: Int)?
  private var schedule: PollSchedule

  /// - Parameter state: the job's as its call was answered; nil where that was in another life.
  init(_ job: FollowedJob, state: JobProgress.State?, pace: PollSchedule.Pace) {
    self.job = job
    hasBegun = state.map { $0 != .queued }
    schedule = PollSchedule(pace)
  }

  /// The wait before the first question.
  mutating func begin(dice: Double) -> Int64 { schedule.next(dice: dice) }

  /// Takes what the provider said. Its last word counts even when it comes past the deadline.
  mutating func take(_ answer: JobAnswer, at now: Timestamp, dice: Double) -> Step {
    if case .told(let progress) = answer, let end = end(of: progress) { return .end(end) }
    if case .counted(let tally) = answer { return .end(JobEnd(tally)) }
    if case .doubtful(var tally) = answer {
      tally.markPartial()
      let end = JobEnd(tally)
      let readings = end == doubt?.end ? (doubt?.readings ?? 0) + 1 : 1
      if readings >= Self.sameReadingsMin { return .end(end) }
      doubt = (end, readings)
    }
    if case .missing = answer { misses += 1 } else { misses = 0 }
    if misses >= Self.missesMax {
      return .end(
        JobEnd(charge: .reportedElseEstimate, reading: CallReading(), ending: .clientGone))
    }
    if now >= job.deadline {
      return .end(
        doubt?.end
          ?? JobEnd(charge: .reportedElseEstimate, reading: CallReading(), ending: .timeout))
    }
    let wait =
      switch answer {
      case .forbidden, .missing: schedule.slowest(dice: dice)
      case .told, .counted, .doubtful, .failed: schedule.next(dice: dice)
      }
    let left = job.deadline.milliseconds - now.milliseconds
    return .wait(milliseconds: min(wait, max(left, 1)))
  }

  /// Nil: the job goes on, or nobody knows.
  private mutating func end(of progress: JobProgress) -> JobEnd? {
    let reading = progress.reading
    switch progress.state {
    case .unknown: return nil
    case .queued:
      hasBegun = hasBegun ?? false
      return nil
    case .running:
      hasBegun = true
      return nil
    case .ended:
      // Of a batch of which nothing was answered nothing is billed.
      return JobEnd(
        charge: reading.resultCount == 0 ? .reportedElseNothing : .reportedElseEstimate,
        reading: reading, ending: .completed)
    case .failed:
      return JobEnd(charge: .reportedElseNothing, reading: reading, ending: .upstreamError)
    case .cancelled:
      let isUntouched = hasBegun == false && reading.outputTextBytes == 0
      return JobEnd(
        charge: isUntouched ? .reportedElseNothing : .reportedElseEstimate, reading: reading,
        ending: .clientGone)
    }
  }
}
