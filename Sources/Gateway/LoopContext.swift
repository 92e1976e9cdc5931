// What belongs to one event loop: its connections, its upstream pools and its one timer.
//
// A timer per call costs a heap operation twice a call; one coarse tick that looks at every
// connection costs nothing between ticks, and a time-out may well come a tenth of a second late.

import Metering
import NIOCore

/// The gateway's state on one event loop. Confined to that loop.
final class LoopContext {
  static let tickMilliseconds: Int64 = 100

  let loop: any EventLoop
  let core: GatewayCore
  let pools: [UpstreamPool]
  /// The gateway takes no more calls and closes connections as they fall idle.
  private(set) var isStopping = false

  private var callers: [ObjectIdentifier: CallerHandler] = [:]
  /// Calls and sockets whose caller is gone and whose answer is read on for its usage.
  private var draining: [ObjectIdentifier: any Draining] = [:]
  /// Calls whose next step waits until what they appended is in the journal's file.
  private var waiting: [Exchange] = []
  private var resuming: [Exchange] = []
  private var isJournalDue = false
  private var spares: [ByteBuffer] = []

  init(loop: any EventLoop, core: GatewayCore) {
    self.loop = loop
    self.core = core
    pools = core.upstreams.indices.map { UpstreamPool(loop: loop, core: core, upstream: $0) }
  }

  /// Starts the tick; it ends with the loop.
  func start() {
    loop.assumeIsolated().scheduleTask(in: .milliseconds(Self.tickMilliseconds)) {
      self.tick(now: .now())
      self.start()
    }
  }

  func add(_ caller: CallerHandler) { callers[ObjectIdentifier(caller)] = caller }

  func remove(_ caller: CallerHandler) { callers[ObjectIdentifier(caller)] = nil }

  func addDraining(_ drained: any Draining) { draining[ObjectIdentifier(drained)] = drained }

  func removeDraining(_ drained: any Draining) {
    if !draining.isEmpty { draining[ObjectIdentifier(drained)] = nil }
  }

  // MARK: Journal

  /// Goes on with a call once all that this turn of the loop appended is in the journal: one write
  /// for every call that the turn brought.
  func afterJournal(_ exchange: Exchange) {
    waiting.append(exchange)
    guard !isJournalDue else { return }
    isJournalDue = true
    loop.assumeIsolated().execute { self.writeJournal() }
  }

  private func writeJournal() {
    isJournalDue = false
    guard !waiting.isEmpty else { return }
    swap(&waiting, &resuming)
    let isJournaled = core.desk.flush()
    let now = NIODeadline.now()
    for exchange in resuming { exchange.journaled(isJournaled, now: now) }
    resuming.removeAll(keepingCapacity: true)
  }

  // MARK: Buffers

  private static let spareBytesMax = 64 * 1024
  private static let sparesMax = 64

  /// An empty buffer with room for so many bytes, used before where there is one.
  func takeBuffer(capacity: Int) -> ByteBuffer {
    guard var buffer = spares.popLast() else {
      var new = ByteBuffer()
      new.reserveCapacity(max(capacity, 4 * 1024))
      return new
    }
    // Makes new memory where the channel still holds the old.
    buffer.clear(minimumCapacity: capacity)
    return buffer
  }

  /// Takes a buffer back whose bytes are written, or handed to a channel.
  func giveBuffer(_ buffer: ByteBuffer) {
    guard spares.count < Self.sparesMax, 1...Self.spareBytesMax ~= buffer.capacity else { return }
    spares.append(buffer)
  }

  var idleUpstreamConnections: Int { pools.reduce(0) { $0 + $1.idleCount } }

  /// Looks at every deadline once.
  func tick(now: NIODeadline) {
    // Copies: a deadline's action may take its owner out of the collection.
    for caller in Array(callers.values) { caller.tick(now: now) }
    for drained in Array(draining.values) { drained.tick(now: now) }
    for pool in pools { pool.expire(now: now, isStopping: isStopping) }
  }

  /// No more calls: idle connections close now, busy ones after their answer.
  func beginStopping() {
    isStopping = true
    for caller in Array(callers.values) { caller.beginStopping() }
    for pool in pools { pool.expire(now: .now(), isStopping: true) }
  }

  /// The grace is over: every call ends now, and is settled.
  func stopAll() {
    for caller in Array(callers.values) { caller.stop() }
    for drained in Array(draining.values) { drained.stop() }
    // The last calls' answers need no other turn of a loop that is about to end.
    while !waiting.isEmpty { writeJournal() }
  }

  /// Ends every call and socket of an app at once.
  func isolate(app: Int, _ denial: Denial) {
    for caller in Array(callers.values) { caller.isolate(app: app, denial) }
    for drained in Array(draining.values) { drained.isolate(app: app, denial) }
  }

  var isQuiet: Bool { callers.isEmpty && draining.isEmpty }
}

/// What outlives its caller for a while.
protocol Draining: AnyObject {
  func tick(now: NIODeadline)
  func stop()
  /// Ends where it is of this app.
  func isolate(app: Int, _ denial: Denial)
}
