// Follows jobs to their end: asks providers after them, and settles each once.
//
// What is followed stands in the ledger, so that a restart takes it up again; here is only when to
// ask next.

import Curl
import Logging
import Metering
import NIOCore
import NIOPosix
import Providers
import Synchronization

/// Asks after every followed job until it has ended, a few at a time.
final class Follower: Sendable {
  private struct State {
    var queue = FollowQueue()
    var sleeper: Task<Void, Never>?
    /// Upstreams that do not take our credential: told of once.
    var forbidden: Set<String> = []
  }

  private let core: GatewayCore
  private let client: JobClient
  private let threads: NIOThreadPool
  private let state = Mutex(State())
  private let (wakes, wake) = AsyncStream.makeStream(
    of: Void.self, bufferingPolicy: .bufferingNewest(1))
  private let running = Mutex<Task<Void, Never>?>(nil)

  init(core: GatewayCore, curl: CurlClient, threads: NIOThreadPool) {
    self.core = core
    client = JobClient(curl: curl)
    self.threads = threads
  }

  /// Takes up what an earlier process left, and begins to ask.
  func start() {
    for (call, job, app) in core.desk.followed { take(call, job, of: app, state: nil) }
    let task = Task { await run() }
    running.withLock { $0 = task }
  }

  /// Asks no more. What is followed stays so in the ledger.
  func stop() async {
    guard let task = running.withLock({ $0.take() }) else { return }
    task.cancel()
    wake.finish()
    state.withLock { $0.sleeper.take()?.cancel() }
    await task.value
  }

  /// Follows a job whose call has ended. Never blocks.
  ///
  /// - Parameter jobState: nil: it is an earlier process's, and asked after at once, since its end
  ///   and its files may be known by now.
  func take(
    _ call: CallID, _ job: FollowedJob, of app: String, state jobState: JobProgress.State?
  ) {
    var watch = JobWatch(job, state: jobState, pace: core.configuration.pace(of: job.kind))
    let wait = jobState == nil ? 0 : watch.begin(dice: .random(in: 0..<1))
    state.withLock { $0.queue.add(call, of: app, watch, due: Self.now + wait) }
    wake.yield()
  }

  private static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }

  // MARK: Asking

  private func run() async {
    await withDiscardingTaskGroup { group in
      begin(in: &group)
      for await _ in wakes {
        if Task.isCancelled { break }
        begin(in: &group)
      }
      group.cancelAll()
    }
  }

  /// Asks after all that is due, and sees to the next waking.
  private func begin(in group: inout DiscardingTaskGroup) {
    let atATime = core.configuration.followedAtATime
    let due = state.withLock { state in
      let due = state.queue.takeDue(at: Self.now, atATime: atATime)
      state.sleeper?.cancel()
      state.sleeper = state.queue.nextDue(atATime: atATime).map { sleeper(until: $0) }
      return due
    }
    for (call, watch) in due { group.addTask { await self.ask(call, watch) } }
  }

  private func sleeper(until due: Int64) -> Task<Void, Never> {
    let wake = wake
    return Task {
      try? await Task.sleep(for: .milliseconds(max(due - Self.now, 0)))
      if !Task.isCancelled { wake.yield() }
    }
  }

  private func ask(_ call: CallID, _ asked: JobWatch) async {
    var watch = asked
    let answer = await answer(call, watch.job)
    // What a stop interrupted said nothing.
    if !Task.isCancelled {
      note(answer, upstream: watch.job.upstream)
      switch watch.take(answer, at: core.clock(), dice: .random(in: 0..<1)) {
      case .wait(let milliseconds):
        let due = Self.now + milliseconds
        state.withLock { $0.queue.put(call, watch, due: due) }
      case .end(let end):
        await settle(call, watch.job, end)
        state.withLock { $0.queue.remove(call) }
      }
    }
    wake.yield()
  }

  private func answer(_ call: CallID, _ job: FollowedJob) async -> JobAnswer {
    guard let upstream = core.upstreams.first(where: { $0.name == job.upstream }),
      upstream.canBeAsked
    else { return .forbidden(status: 0) }
    return await client.ask(job, of: upstream) { core.desk.note(files: $0.files, of: call) }
  }

  private func note(_ answer: JobAnswer, upstream: String) {
    switch answer {
    case .told, .counted, .doubtful, .missing: state.withLock { _ = $0.forbidden.remove(upstream) }
    case .forbidden(let status):
      guard state.withLock({ $0.forbidden.insert(upstream).inserted }) else { return }
      core.logger.error(
        "an upstream tells nothing of the jobs it works on; each ends as estimated",
        metadata: ["upstream": "\(upstream)", "status": "\(status)"])
    case .failed: break
    }
  }

  // MARK: Settling

  /// Off the event loops and off the tasks' threads, since it waits for the journal.
  private func settle(_ call: CallID, _ job: FollowedJob, _ end: JobEnd) async {
    let core = core
    try? await threads.runIfActive {
      core.desk.end(followed: call, job, end, core: core)
      core.desk.flush()
    }
  }
}

extension GatewayConfiguration {
  /// How often jobs of a kind are asked after.
  func pace(of kind: FollowedJob.Kind) -> PollSchedule.Pace {
    switch kind {
    case .backgroundResponse:
      .init(first: responsePollMilliseconds, most: responsePollMillisecondsMax)
    case .messageBatch, .batch:
      .init(first: batchPollMilliseconds, most: batchPollMillisecondsMax)
    }
  }
}
