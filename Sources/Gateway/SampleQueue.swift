// From an ended call to a stored sample, off the event loops.
//
// A loop hands over references to bytes it holds anyway; text is extracted, redacted and inserted
// on a thread that may block. The queue is bounded: a store that fails for long costs samples,
// never memory or calls.

import Contracts
import Logging
import Metering
import NIOCore
import NIOPosix
import Providers
import Store
import Synchronization
import Telemetry

/// What the loop knows of a call that was chosen.
struct SampleDraft: Sendable {
  var app: String
  var call: CallID
  var operation: Operation
  var model: String
  var time: Timestamp
  var status: Int
  var request: ByteBuffer
  var answer: ByteBuffer
  var isStream: Bool
  var latencyMilliseconds: Int64
  /// The chance with which the call was chosen, for weighing.
  var probability: Double
  var redactor: Redactor
}

/// Drafts that wait for the store.
///
/// While the store fails they stay in the queue and are tried again; they are lost only where the
/// queue is full or the process ends.
final class SampleQueue: Sendable {
  /// Runs an action after some milliseconds, without holding a thread.
  typealias Wait =
    @Sendable (_ milliseconds: Int64, _ action: @escaping @Sendable () -> Void) -> Void

  private struct State {
    var drafts: [SampleDraft] = []
    /// A thread stores, or a retry is set: nobody else need begin.
    var isUnderWay = false
    /// How long the last failure made the queue wait; 0 while the store works.
    var retrySeconds: Int64 = 0
  }

  /// The most that goes into one transaction.
  static let batchMax = 64
  /// How long the first draft waits for others: a transaction of its own costs as much as ten
  /// samples in one.
  static let gatherMilliseconds: Int64 = 200
  static let retrySecondsMax: Int64 = 30

  private let state = Mutex(State())
  /// Held while a batch is stored: a draft leaves the queue only when it is, so two threads at
  /// once would store it twice.
  private let storing = Mutex<Void>(())
  private let draftsMax: Int
  private let threads: NIOThreadPool
  private let metrics: GatewayMetrics
  private let logger: Logger
  private let store: @Sendable ([SampleRecord]) throws -> Void
  private let gatherMilliseconds: Int64
  private let wait: Wait

  init(
    draftsMax: Int, threads: NIOThreadPool, metrics: GatewayMetrics, logger: Logger,
    store: @escaping @Sendable ([SampleRecord]) throws -> Void,
    gatherMilliseconds: Int64 = SampleQueue.gatherMilliseconds,
    wait: @escaping Wait = SampleQueue.sleep
  ) {
    self.draftsMax = draftsMax
    self.threads = threads
    self.metrics = metrics
    self.logger = logger
    self.store = store
    self.gatherMilliseconds = gatherMilliseconds
    self.wait = wait
  }

  /// Whether a call is chosen: a hash of its number, so that a replay chooses the same calls.
  static func chooses(_ call: CallID, rate: Double) -> Bool {
    if rate <= 0 { return false }
    if rate >= 1 { return true }
    // The finalizer of splitmix64: neighbouring numbers come out unrelated.
    var x = call.number &+ 0x9E37_79B9_7F4A_7C15
    x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
    x ^= x >> 31
    return Double(x >> 11) * 0x1p-53 < rate
  }

  /// Takes a draft, or drops and counts it where too many wait.
  func offer(_ draft: SampleDraft) {
    let (isTaken, starts) = state.withLock { state in
      guard state.drafts.count < draftsMax else { return (false, false) }
      state.drafts.append(draft)
      defer { state.isUnderWay = true }
      return (true, !state.isUnderWay)
    }
    if !isTaken { metrics.record(.samplesDropped) }
    guard starts else { return }
    if gatherMilliseconds == 0 { begin() } else { wait(gatherMilliseconds) { self.begin() } }
  }

  /// The last attempt, at shutdown after the last call: what it cannot store is dropped and
  /// counted. May block.
  func finish() {
    let dropped = storing.withLock { _ in
      _ = storeAll()
      return state.withLock { state in
        defer { state.drafts = [] }
        return state.drafts.count
      }
    }
    guard dropped > 0 else { return }
    metrics.record(.samplesDropped, count: dropped)
    logger.warning(
      "samples were dropped at shutdown, as the store failed to the end",
      metadata: ["count": "\(dropped)"])
  }

  private func begin() {
    threads.submit { state in
      // A pool that has shut down: `finish` has done what could be done.
      guard case .active = state else { return }
      self.drain()
    }
  }

  /// Stores all that wait, and sets a retry where that fails.
  private func drain() {
    guard let seconds = storing.withLock({ _ in storeAll() }) else { return }
    wait(seconds * 1_000) { self.begin() }
  }

  /// - Returns: the seconds to wait before the next attempt; nil where nothing waits any more.
  private func storeAll() -> Int64? {
    while true {
      let batch = state.withLock { state in
        if state.drafts.isEmpty { state.isUnderWay = false }
        return Array(state.drafts.prefix(Self.batchMax))
      }
      if batch.isEmpty { return nil }
      do { try store(batch.map(Self.record)) } catch { return failed(error) }
      stored(batch.count)
    }
  }

  private func stored(_ count: Int) {
    let hadFailed = state.withLock { state in
      state.drafts.removeFirst(count)
      defer { state.retrySeconds = 0 }
      return state.retrySeconds > 0
    }
    if hadFailed { logger.notice("samples are stored again") }
  }

  private func failed(_ error: any Error) -> Int64 {
    let (seconds, waiting, isFirst) = state.withLock { state in
      let isFirst = state.retrySeconds == 0
      state.retrySeconds = isFirst ? 1 : min(state.retrySeconds * 2, Self.retrySecondsMax)
      return (state.retrySeconds, state.drafts.count, isFirst)
    }
    // Only the change is told: a full disk must not fill with lines that say so.
    if isFirst {
      logger.error(
        "samples cannot be stored; they wait in memory and are tried again",
        metadata: [
          "waiting": "\(waiting)", "waitingMax": "\(draftsMax)", "cause": "\(error)",
        ])
    }
    return seconds
  }

  private static func sleep(milliseconds: Int64, action: @escaping @Sendable () -> Void) {
    Task {
      try? await Task.sleep(for: .milliseconds(milliseconds))
      action()
    }
  }

  private static func record(_ draft: SampleDraft) -> SampleRecord {
    let output = draft.operation.outputText(
      of: Array(draft.answer.readableBytesView), isStream: draft.isStream)
    let input = draft.operation.inputText(of: Array(draft.request.readableBytesView))
    return SampleRecord(
      app: draft.app, call: draft.call, origin: "gateway", model: draft.model, time: draft.time,
      status: draft.status, input: draft.redactor.redact(input).text,
      output: draft.redactor.redact(text(output)).text,
      fields: tools(output, draft.redactor), finishReason: output.finishReason,
      latencyMilliseconds: draft.latencyMilliseconds,
      probability: draft.probability)
  }

  /// The names of the called tools as the field that classifiers read. A name, too, is made by the
  /// model, and may be anything.
  private static func tools(_ output: OutputText, _ redactor: Redactor) -> [String: String] {
    let names = output.toolNames.prefix(64).map { name in
      String(redactor.redact(name).text.replacing(",", with: " ").prefix(128))
    }
    return names.isEmpty ? [:] : [SampleRecord.toolsField: names.joined(separator: ",")]
  }

  /// What the model said; for an error, what the provider said about it.
  private static func text(_ output: OutputText) -> String {
    output.combined.isEmpty ? output.errorMessage ?? "" : output.combined
  }
}
