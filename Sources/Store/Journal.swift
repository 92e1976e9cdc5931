// The journal: the ledger's events on disk before anyone acts on them.
//
// Appending and writing are two steps under two locks. `append` encodes into memory under the
// caller's own admission lock, so that the file's order is the ledger's; `flush` writes what has
// gathered, one thread for all that wait, with no lock held that admission needs.

public import Logging
public import Metering
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// How the journal is kept.
public struct JournalSettings: Hashable, Sendable {
  /// How often the file is synchronized, in milliseconds: as much may be lost with the power. 0:
  /// before `flush` returns.
  public var syncMilliseconds = 20
  /// A new segment begins where the last would grow beyond this.
  public var segmentBytesMax = 64 << 20
  /// How long a segment is kept after its last write, in seconds, once all of it is folded.
  public var retentionSeconds = 86_400
  /// Bound of what waits in memory while the file cannot be written; beyond it `isFull`.
  public var pendingBytesMax = 64 << 20

  public init() {}
}

/// An append-only record of ledger events. Safe to use from any thread; see `append` for the one
/// rule of order.
public final class Journal: Sendable {
  /// Encoded, not yet taken for writing.
  struct Pending {
    var bytes: [UInt8] = []
    var lastAppended: UInt64
    /// Set once and for good: an event was appended out of order.
    var disorder: StoreFault?
  }

  public let directory: String
  public let settings: JournalSettings
  /// What the last crash left half written, cut off by `open`; nil: nothing.
  public let tornTail: TornTail?
  let logger: Logger
  let pending: Mutex<Pending>
  let output: Mutex<SegmentWriter>
  let reader: Mutex<JournalReader>
  /// Serialises background synchronization, and holds what it found.
  private let lastSync = Mutex<StoreFault?>(nil)
  private let flushedThrough: Atomic<UInt64>
  private let writable = Atomic<Bool>(true)
  private let waitingBytes = Atomic<Int>(0)
  private let lock: OpenFile
  private let ticker = Mutex<Ticker?>(nil)

  /// Opens a journal, creating its directory as needed, and starts its background thread.
  ///
  /// - Parameters:
  ///   - foldedThrough: the last sequence that the database has (`StoreDatabase.foldedThrough()`).
  ///   - replay: is handed the events above it, in order, one at a time: a long tail takes no more
  ///     memory than a short one. Where the call throws, what was handed out is to be forgotten.
  /// - Throws: `journalLocked` where another process has it, `journalCorrupt` or `journalGap` where
  ///   what it holds cannot be trusted, `cannotOpen`, `full`, `readOnly` or `inputOutput`.
  public static func open(
    directory: String, settings: JournalSettings = JournalSettings(), foldedThrough: UInt64,
    logger: Logger = Logger(label: "leeway.journal"), replay: (LedgerEvent) -> Void
  ) throws(StoreFault) -> Journal {
    try Directory.create(directory)
    let lock = try Self.lock(directory)
    do throws(StoreFault) {
      let recovered = try RecoveredJournal(
        directory: directory, foldedThrough: foldedThrough, replay: replay)
      return try Journal(
        directory: directory, settings: settings, foldedThrough: foldedThrough,
        recovered: recovered, lock: lock, logger: logger)
    } catch {
      lock.release()
      throw error
    }
  }

  /// As above, with the events in a list: for a tail that is known to be short.
  public static func open(
    directory: String, settings: JournalSettings = JournalSettings(), foldedThrough: UInt64,
    logger: Logger = Logger(label: "leeway.journal")
  ) throws(StoreFault) -> (journal: Journal, tail: [LedgerEvent]) {
    var tail: [LedgerEvent] = []
    let journal = try open(
      directory: directory, settings: settings, foldedThrough: foldedThrough, logger: logger
    ) { tail.append($0) }
    return (journal, tail)
  }

  private init(
    directory: String, settings: JournalSettings, foldedThrough: UInt64,
    recovered: RecoveredJournal, lock: OpenFile, logger: Logger
  ) throws(StoreFault) {
    let last = max(foldedThrough, recovered.end?.sequence ?? 0)
    var writer = SegmentWriter(
      directory: directory, segmentBytesMax: settings.segmentBytesMax,
      syncsEachWrite: settings.syncMilliseconds == 0, segments: recovered.segments,
      writtenThrough: last)
    try writer.begin(at: recovered.end)
    let start = recovered.unfolded ?? writer.end
    self.directory = directory
    self.settings = settings
    self.logger = logger
    self.lock = lock
    tornTail = recovered.torn
    pending = Mutex(Pending(lastAppended: last))
    output = Mutex(writer)
    reader = Mutex(JournalReader(directory: directory, start: start))
    flushedThrough = Atomic(last)
    if let torn = recovered.torn {
      logger.warning(
        "journal ended in a torn record, cut off",
        metadata: [
          "segment": "\(torn.path)", "offset": "\(torn.offset)", "bytes": "\(torn.bytes)",
        ])
    }
    let interval = settings.syncMilliseconds == 0 ? 250 : settings.syncMilliseconds
    let ticker = Ticker(name: "leeway-journal") { [weak self] in
      guard let self else { return nil }
      tick()
      return interval
    }
    self.ticker.withLock { $0 = ticker }
  }

  deinit {
    // Where `close` was not called, the thread ends by itself at its next round.
    output.withLock { $0.close() }
    reader.withLock { $0.close() }
    lock.close()
  }

  /// Takes an event into the journal. It is on disk when a later `flush` has returned.
  ///
  /// Call it under the lock that numbered the event: events must come in the order of their
  /// sequences, each once. One that is there already is left out; after a gap every `flush` throws.
  public func append(_ event: LedgerEvent) {
    let bytes = pending.withLock { pending in
      guard event.sequence > pending.lastAppended, pending.disorder == nil else { return 0 }
      guard event.sequence == pending.lastAppended + 1 else {
        pending.disorder = .gap(
          "Event \(event.sequence) was appended after event \(pending.lastAppended)")
        return 0
      }
      let before = pending.bytes.count
      pending.bytes.append(recordOf: event)
      pending.lastAppended = event.sequence
      return pending.bytes.count - before
    }
    waitingBytes.add(bytes, ordering: .relaxed)
  }

  /// Returns when every event appended before the call is in the file, and where
  /// `syncMilliseconds` is 0 would outlast a loss of power too.
  ///
  /// Blocks for one write, seldom for another thread's. On failure the file is as it was, the
  /// events stay in memory and a later flush writes them, the background thread's own included.
  ///
  /// - Throws: `full`, `readOnly`, `inputOutput`; `journalGap` after an append out of order.
  public func flush() throws(StoreFault) {
    let (target, disorder) = pending.withLock { ($0.lastAppended, $0.disorder) }
    if let disorder {
      note(disorder)
      throw disorder
    }
    if flushedThrough.load(ordering: .acquiring) >= target { return }
    do throws(StoreFault) {
      try output.withLock { (writer) throws(StoreFault) in
        // While this thread waited another may have written its events.
        if writer.writtenThrough >= target { return }
        let through = pending.withLock { pending in
          writer.take(&pending.bytes)
          return pending.lastAppended
        }
        let written = try writer.write(through: through)
        waitingBytes.subtract(written, ordering: .relaxed)
        flushedThrough.store(writer.writtenThrough, ordering: .releasing)
      }
    } catch {
      note(error)
      throw error
    }
    noteSuccess()
  }

  /// Whether the last write and the last synchronization succeeded. While false, budgeted calls are
  /// to be refused before admission is asked.
  public var isWritable: Bool { writable.load(ordering: .acquiring) }

  /// Whether more waits in memory than `pendingBytesMax`: then no call is to pass at all.
  public var isFull: Bool {
    waitingBytes.load(ordering: .relaxed) > settings.pendingBytesMax
  }

  /// The sequence of the last event in the file.
  public var lastFlushed: UInt64 { flushedThrough.load(ordering: .acquiring) }

  /// Returns when all that was flushed before the call would outlast a loss of power.
  public func sync() throws(StoreFault) {
    let fault = lastSync.withLock { last -> StoreFault? in
      let work = output.withLock { $0.takeSyncWork() }
      defer { for file in work.closing { file.close() } }
      guard let file = work.file else { return last }
      do throws(StoreFault) {
        try file.synchronize()
        last = nil
      } catch {
        // The kernel may forget what it could not write: what comes next goes to a new file.
        output.withLock { $0.startNewSegment() }
        last = error
      }
      return last
    }
    guard let fault else { return noteSuccess() }
    note(fault)
    throw fault
  }

  /// Writes and synchronizes what is left, stops the background thread and gives up the directory.
  /// The journal is of no use afterwards.
  ///
  /// - Throws: as `flush`; the directory is given up all the same.
  public func close() throws(StoreFault) {
    let ticker = ticker.withLock { ticker in
      defer { ticker = nil }
      return ticker
    }
    guard let ticker else { return }
    ticker.stop()
    var fault: StoreFault?
    do throws(StoreFault) {
      try flush()
      try sync()
    } catch {
      fault = error
    }
    output.withLock { $0.close() }
    reader.withLock { $0.close() }
    try? lock.unlock()
    if let fault { throw fault }
  }

  private func tick() {
    // What failed before is tried again here, so that a quiet gateway recovers too; failures are
    // logged by `note`, once.
    try? flush()
    try? sync()
  }

  private func note(_ fault: StoreFault) {
    guard writable.exchange(false, ordering: .acquiringAndReleasing) else { return }
    logger.error("journal cannot be written", metadata: ["fault": "\(fault)"])
  }

  private func noteSuccess() {
    guard !isWritable else { return }
    let (target, disorder) = pending.withLock { ($0.lastAppended, $0.disorder) }
    let isClean =
      disorder == nil && lastFlushed >= target && lastSync.withLock { $0 == nil }
    guard isClean, !writable.exchange(true, ordering: .acquiringAndReleasing) else { return }
    logger.notice("journal can be written again")
  }

  private static func lock(_ directory: String) throws(StoreFault) -> OpenFile {
    try OpenFile.locked(directory + "/lock") { holder in
      StoreFault(
        .journalLocked, "The journal in \(directory) is in use by process \(holder)",
        hint: "Stop that process, or give this gateway a store and a journal of its own.")
    }
  }
}
