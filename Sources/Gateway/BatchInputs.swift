// The input files of batches, read before admission: a few at a time, and none of them held.

import Curl
import Metering
import Providers
import Synchronization

/// What the reading of a batch's input file came to.
enum BatchInputOutcome: Sendable {
  case read(BatchBound)
  /// Whatever its app, such a batch is not made.
  case refused(Denial)
  /// It was not read to its end, so that nothing bounds the batch.
  case unread(Denial)
}

/// A batch's input file as it comes: each request is bounded and forgotten.
struct BatchFile: Sendable {
  private var reader: BatchInputReader
  private var bound: BatchBound
  private let policy: AppPolicy
  private var counter: BatchTextCounter?
  private var denial: Denial?

  /// - Parameters:
  ///   - policy: the app's, which says what models it may call.
  ///   - lineBytesMax: the most bytes of one request.
  init(
    _ input: BatchInput, upstream: GatewayUpstream, at start: Timestamp, policy: AppPolicy,
    lineBytesMax: Int
  ) {
    reader = BatchInputReader(input, lineBytesMax: lineBytesMax)
    bound = BatchBound(prices: upstream.prices, at: start)
    if policy.isBudgeted, case .metered(let operation) = input.endpoint {
      counter = BatchTextCounter(of: operation, at: upstream)
    }
    self.policy = policy
  }

  /// Reads the next bytes. False: the file is refused, and the rest needs no reading.
  mutating func feed(_ bytes: UnsafeRawBufferPointer) -> Bool {
    read { reader, take in reader.feed(bytes, take) }
    return refusal == nil
  }

  mutating func finish() -> BatchInputOutcome {
    read { reader, take in reader.finish(take) }
    return refusal.map { .refused($0) } ?? .read(bound)
  }

  /// Why the file is refused; nil: it is not.
  var refusal: Denial? {
    if let denial { return denial }
    if let fault = reader.fault { return .requestInvalid(message: fault.message) }
    if let refusal = bound.refusal { return refusal }
    // What follows bounds it no more.
    if case .none(let denial) = bound.bound, policy.isBudgeted { return denial }
    return nil
  }

  private mutating func read(
    _ step: (inout BatchInputReader, BatchInputReader.Take) -> Void
  ) {
    var (bound, denial, counter) = (bound, denial, counter)
    step(&reader) { request, body, line in
      let place = BatchInputReader.place(line)
      if let broken = Self.ruleBroken(by: request, policy) {
        denial = denial ?? .part(place: place, broken)
      } else {
        bound.add(request, place: place, saving: counter?.saving(request, body) ?? 0)
      }
    }
    (self.bound, self.denial, self.counter) = (bound, denial, counter)
  }

  private static func ruleBroken(by request: PeekedRequest, _ policy: AppPolicy) -> Denial? {
    guard CallEstimate.isName(request.model) else {
      return .requestInvalid(message: CallEstimate.modelMessage)
    }
    guard policy.allows(model: request.model) else {
      return .modelForbidden(model: request.model, allowed: policy.models ?? [])
    }
    return nil
  }
}

/// Reads files for calls that wait for them, a few at a time.
final class BatchInputs: Sendable {
  private struct State {
    var tasks: [Int: (app: Int, task: Task<Void, Never>)] = [:]
    var last = 0
    var isStopped = false
  }

  private let client: JobClient
  private let atATime: Int
  private let perApp: Int
  private let state = Mutex(State())

  /// - Parameter perApp: so many of `atATime` at the most are one app's.
  init(curl: CurlClient, atATime: Int, perApp: Int) {
    client = JobClient(curl: curl)
    self.atATime = atATime
    self.perApp = perApp
  }

  /// Begins to read. Cancelling the task ends it, and its work, soon.
  ///
  /// - Returns: nil where as many are being read as may be, or as many of the app's.
  func begin(
    app: Int, _ work: @escaping @Sendable (JobClient) async -> Void
  ) -> Task<Void, Never>? {
    state.withLock { state in
      guard !state.isStopped, state.tasks.count < atATime,
        state.tasks.values.count(where: { $0.app == app }) < perApp
      else { return nil }
      state.last += 1
      let number = state.last
      let task = Task {
        await work(client)
        self.state.withLock { _ = $0.tasks.removeValue(forKey: number) }
      }
      state.tasks[number] = (app, task)
      return task
    }
  }

  /// Ends what is being read, and begins no more.
  func stop() async {
    let tasks = state.withLock { state in
      state.isStopped = true
      return state.tasks.values.map(\.task)
    }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
  }
}
