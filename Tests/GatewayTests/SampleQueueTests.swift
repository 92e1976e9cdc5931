// What the queue does while the store fails: nothing is lost that there is room for, and the log
// tells of the change alone.

import Contracts
import Logging
import Metering
import NIOCore
import NIOPosix
import Store
import Synchronization
import Telemetry
import Testing

@testable import Gateway

@Suite struct SampleQueueTests {
  private struct DiskFull: Error {}

  /// A store that fails as often as it is told to, and the queue before it.
  private final class Desk: Sendable {
    let stored = Collected<CallID?>()
    let waits = Collected<Int64>()
    let log = LevelLog()
    let metrics = GatewayMetrics(apps: ["team"], upstreams: [])
    let threads = NIOThreadPool(numberOfThreads: 2)
    /// What waits for the retry's time; a test says when that has come.
    private let pending = Mutex<[@Sendable () -> Void]>([])
    private let failuresLeft: Mutex<Int>

    init(failures: Int) {
      failuresLeft = Mutex(failures)
      threads.start()
    }

    func queue(draftsMax: Int, gatherMilliseconds: Int64 = 0) -> SampleQueue {
      let log = log
      return SampleQueue(
        draftsMax: draftsMax, threads: threads, metrics: metrics,
        logger: Logger(label: "test") { _ in log },
        store: { records in
          let fails = self.failuresLeft.withLock { left in
            defer { left = max(left - 1, 0) }
            return left > 0
          }
          if fails { throw DiskFull() }
          self.stored.append(records.map(\.call))
        },
        gatherMilliseconds: gatherMilliseconds,
        wait: { milliseconds, action in
          self.pending.withLock { $0.append(action) }
          self.waits.append([milliseconds / 1_000])
        })
    }

    /// The time of the retry that is set has come.
    func elapse() {
      let action = pending.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      action?()
    }
  }

  private static func draft(_ number: UInt64) -> SampleDraft {
    SampleDraft(
      app: "team", call: CallID(number), operation: .chatCompletions, model: "gpt-test",
      time: GatewayFixture.now, status: 200, request: ByteBuffer(string: GatewayFixture.body),
      answer: ByteBuffer(string: Script.completion()), isStream: false, latencyMilliseconds: 1,
      probability: 1, redactor: Redactor(hidesPersonalData: false))
  }

  @Test func aStoreThatFailsTwiceCostsNoSample() async throws {
    let desk = Desk(failures: 2)
    let queue = desk.queue(draftsMax: 200)
    queue.offer(Self.draft(1))
    try await eventually { desk.waits.all == [1] }
    // Those that come meanwhile wait with it and start no attempt of their own.
    for number in 2...150 { queue.offer(Self.draft(UInt64(number))) }
    #expect(desk.stored.all.isEmpty)
    desk.elapse()
    try await eventually { desk.waits.all == [1, 2] }
    desk.elapse()
    try await eventually { desk.stored.all.count == 150 }
    #expect(desk.stored.all == (1...150).map { CallID(UInt64($0)) })
    try await eventually { desk.log.levels.count == 2 }
    #expect(desk.log.levels == [.error, .notice])
    #expect(desk.metrics.count(of: .samplesDropped) == 0)
    // It works again: the next one is stored without a word.
    queue.offer(Self.draft(151))
    try await eventually { desk.stored.all.count == 151 }
    #expect(desk.log.levels == [.error, .notice])
    try await desk.threads.shutdownGracefully()
  }

  @Test func whatComesWithinTheFirstMomentsIsStoredTogether() async throws {
    let desk = Desk(failures: 0)
    let queue = desk.queue(draftsMax: 200, gatherMilliseconds: 5_000)
    for number in 1...3 { queue.offer(Self.draft(UInt64(number))) }
    #expect(desk.waits.all == [5] && desk.stored.all.isEmpty)
    desk.elapse()
    try await eventually { desk.stored.all.count == 3 }
    // The next one begins to gather anew.
    queue.offer(Self.draft(4))
    #expect(desk.waits.all == [5, 5])
    queue.finish()
    #expect(desk.stored.all.count == 4)
    try await desk.threads.shutdownGracefully()
  }

  @Test func theDelayDoublesUpToItsBoundAndAFullQueueDropsTheNewest() async throws {
    let desk = Desk(failures: .max)
    let queue = desk.queue(draftsMax: 3)
    queue.offer(Self.draft(1))
    let expected: [Int64] = [1, 2, 4, 8, 16, 30, 30]
    for count in 1...expected.count {
      try await eventually { desk.waits.all.count == count }
      if count < expected.count { desk.elapse() }
    }
    #expect(desk.waits.all == expected)
    for number in 2...5 { queue.offer(Self.draft(UInt64(number))) }
    #expect(desk.metrics.count(of: .samplesDropped) == 2)
    #expect(desk.log.levels == [.error])
    // The process ends: what is left is counted, once.
    queue.finish()
    #expect(desk.metrics.count(of: .samplesDropped) == 5)
    #expect(desk.log.levels == [.error, .warning])
    #expect(desk.stored.all.isEmpty)
    try await desk.threads.shutdownGracefully()
  }

  @Test func theLastAttemptStoresWhatWaits() async throws {
    let desk = Desk(failures: 1)
    let queue = desk.queue(draftsMax: 10)
    queue.offer(Self.draft(1))
    try await eventually { desk.waits.all == [1] }
    queue.offer(Self.draft(2))
    queue.finish()
    #expect(desk.stored.all == [CallID(1), CallID(2)])
    // The retry that was set finds nothing left to do.
    desk.elapse()
    try await desk.threads.shutdownGracefully()
    #expect(desk.stored.all.count == 2)
    #expect(desk.metrics.count(of: .samplesDropped) == 0)
  }
}

/// A log of which the levels are kept, in order.
private final class LevelLog: LogHandler, Sendable {
  private let lines = Mutex<[Logger.Level]>([])

  var levels: [Logger.Level] { lines.withLock { $0 } }

  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }

  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  func log(event: LogEvent) { lines.withLock { $0.append(event.level) } }
}
