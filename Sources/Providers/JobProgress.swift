// How far a job at a provider is: read of the document that the provider hands out about it.

import Metering

/// The state of a job, and what it used.
public struct JobProgress: Hashable, Sendable {
  public enum State: Hashable, Sendable {
    /// It waits: no work was done.
    case queued
    case running
    /// It came to its end, or to a bound that was set.
    case ended
    case failed
    case cancelled
    /// The document is not whole, or says a state that nobody knows: it says nothing.
    case unknown

    /// The job goes on.
    public var isUnderWay: Bool { self == .queued || self == .running }
  }

  public var state: State
  /// What the job used, as far as its document says.
  public var reading: CallReading

  /// How many results have to be read to know what the job used; nil: none. A file of results is
  /// read whatever the job says of their number.
  public var resultsNeeded: Int64? {
    guard state == .ended, let count = reading.resultCount else { return nil }
    return count > 0 || reading.resultFile != nil ? count : nil
  }

  public init(state: State, reading: CallReading) {
    self.state = state
    self.reading = reading
  }
}

extension FollowedJob.Kind {
  /// The operation whose call makes such a job.
  public var operation: Operation {
    switch self {
    case .backgroundResponse: .responses
    case .messageBatch: .messageBatches
    case .batch: .batches
    }
  }

  /// What such a job used stands in results of its own.
  public var hasResults: Bool { self != .backgroundResponse }
}

extension CallReading {
  /// The state of the job that an answer tells of.
  public func state(of kind: FollowedJob.Kind) -> JobProgress.State {
    switch kind {
    case .backgroundResponse:
      switch finishReason {
      case "queued": .queued
      case "in_progress": .running
      case "completed", "incomplete": .ended
      case "failed": .failed
      case "cancelled": .cancelled
      default: .unknown
      }
    case .messageBatch:
      switch finishReason {
      case "in_progress", "canceling": .running
      // How many were answered says whether there is anything to be charged.
      case "ended": resultCount == nil ? .unknown : .ended
      default: .unknown
      }
    case .batch:
      switch finishReason {
      case "validating", "in_progress", "finalizing", "cancelling": .running
      // What was answered before a batch expired or was cancelled is billed.
      case "completed", "expired", "cancelled": resultCount == nil ? .unknown : .ended
      // Its file was not taken.
      case "failed": resultCount ?? 0 > 0 || resultFile != nil ? .ended : .failed
      default: .unknown
      }
    }
  }
}

/// Reads a job's document in any split, without holding it.
public struct JobReader {
  private let kind: FollowedJob.Kind
  private let reader: any PayloadReader

  public init(_ kind: FollowedJob.Kind) {
    self.kind = kind
    reader = kind.operation.answerReader()
  }

  public func feed(_ bytes: UnsafeRawBufferPointer) { reader.feed(bytes) }

  /// What the bytes so far say; `unknown` until the document is whole.
  public var progress: JobProgress {
    let reading = reader.reading
    let state = reading.isComplete ? reading.state(of: kind) : .unknown
    return JobProgress(state: state, reading: reading)
  }
}
