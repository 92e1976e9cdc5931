// From an ended call to a stored sample, off the event loops.
//
// A loop hands over references to bytes it holds anyway; text is extracted, redacted and inserted
// on a thread that may block. The queue is bounded: a slow disk costs samples, never memory or
// calls.

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
final class SampleQueue: Sendable {
  private struct State {
    var drafts: [SampleDraft] = []
    var isDraining = false
  }

  private let state = Mutex(State())
  private let draftsMax: Int
  private let threads: NIOThreadPool
  private let metrics: GatewayMetrics
  private let logger: Logger
  private let store: @Sendable ([SampleRecord]) throws -> Void

  init(
    draftsMax: Int, threads: NIOThreadPool, metrics: GatewayMetrics, logger: Logger,
    store: @escaping @Sendable ([SampleRecord]) throws -> Void
  ) {
    self.draftsMax = draftsMax
    self.threads = threads
    self.metrics = metrics
    self.logger = logger
    self.store = store
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
      defer { state.isDraining = true }
      return (true, !state.isDraining)
    }
    if !isTaken { metrics.record(.samplesDropped) }
    if starts { threads.submit { _ in self.drain() } }
  }

  /// Stores all that wait; at shutdown, after the last call.
  func drain() {
    while true {
      let drafts = state.withLock { state in
        let drafts = state.drafts
        state.drafts = []
        if drafts.isEmpty { state.isDraining = false }
        return drafts
      }
      if drafts.isEmpty { return }
      do { try store(drafts.map(Self.record)) } catch {
        metrics.record(.samplesDropped, count: drafts.count)
        logger.error(
          "samples were not stored",
          metadata: ["count": "\(drafts.count)", "cause": "\(error)"])
      }
    }
  }

  private static func record(_ draft: SampleDraft) -> SampleRecord {
    let output = OutputText.extract(
      body: Array(draft.answer.readableBytesView), isStream: draft.isStream)
    let input = InputText.extract(body: Array(draft.request.readableBytesView))
    return SampleRecord(
      app: draft.app, call: draft.call, origin: "gateway", model: draft.model, time: draft.time,
      status: draft.status, input: draft.redactor.redact(input).text,
      output: draft.redactor.redact(text(output)).text,
      finishReason: output.finishReason, latencyMilliseconds: draft.latencyMilliseconds,
      probability: draft.probability)
  }

  /// What the model said; for an error, what the provider said about it.
  private static func text(_ output: OutputText) -> String {
    output.combined.isEmpty ? output.errorMessage ?? "" : output.combined
  }
}
