// The one libcurl client: a multi handle on a thread of its own.
//
// libcurl blocks (DNS, TLS) and knows nothing of Swift's executors, so it never runs on an event
// loop or in the cooperative pool. Requests reach its thread through a locked queue and a wake-up;
// any number of transfers are under way at once.

import CCurl
import Foundation
import Synchronization

/// Makes HTTP requests and sends mail. One per process is enough.
public final class CurlClient: Sendable {
  private let engine: CurlEngine

  /// Starts the thread. It ends with `shutdown()` or when the client is let go.
  public init() {
    engine = CurlEngine()
    let thread = Thread { [engine] in engine.run() }
    thread.name = "leeway-curl"
    thread.start()
  }

  deinit { engine.close() }

  /// Makes a transfer and waits for its end. Cancelling the task ends the transfer.
  ///
  /// An HTTP answer of any status is a response; that it came says that the exchange was whole.
  /// A mail counts as sent once the server took it.
  public func perform(_ request: CurlRequest) async throws(CurlFault) -> CurlResponse {
    let url = try request.validated()
    let id = engine.nextID()
    let engine = engine
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        engine.start(
          Transfer(id: id, request: request, url: url, continuation: continuation))
      }
    } onCancel: {
      engine.cancel(id)
    }
    engine.forget(id)
    return try result.get()
  }

  /// Ends every transfer with a `closed` fault, and the thread. Later requests fail the same way.
  public func shutdown() { engine.close() }
}

/// The thread's side. `queue` is shared; `active` belongs to the thread.
final class CurlEngine: @unchecked Sendable {
  // Unchecked: `multi` is thread-safe for wake-ups only, and those are made under the lock while it
  // exists; `active` is touched by the thread alone.
  private struct Queue {
    var lastID: UInt64 = 0
    var starting: [Transfer] = []
    var cancelled: Set<UInt64> = []
    var isClosing = false
    /// The thread is gone, or there never was a multi handle.
    var isOver = false
  }

  private let queue = Mutex(Queue())
  private let multi: UnsafeMutableRawPointer?
  private var active: [UnsafeMutableRawPointer: Transfer] = [:]

  /// Once per process, before any other thread could use libcurl.
  private static let isInitialised = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  init() {
    multi = Self.isInitialised ? curl_multi_init() : nil
  }

  func nextID() -> UInt64 {
    queue.withLock {
      $0.lastID += 1
      return $0.lastID
    }
  }

  func start(_ transfer: Transfer) {
    let refusal: CurlFault? = queue.withLock { queue in
      if queue.isClosing || queue.isOver { return .closed }
      if queue.cancelled.contains(transfer.id) { return .cancelled }
      queue.starting.append(transfer)
      wake()
      return nil
    }
    if let refusal { transfer.finish(.failure(refusal)) }
  }

  func cancel(_ id: UInt64) {
    queue.withLock { queue in
      guard !queue.isOver else { return }
      queue.cancelled.insert(id)
      wake()
    }
  }

  /// Drops what is remembered of a transfer that ended.
  func forget(_ id: UInt64) { queue.withLock { _ = $0.cancelled.remove(id) } }

  func close() {
    queue.withLock { queue in
      guard !queue.isOver else { return }
      queue.isClosing = true
      wake()
    }
  }

  /// Only under the lock, and not after `isOver`: the handle must exist.
  private func wake() { if let multi { curl_multi_wakeup(multi) } }

  func run() {
    Self.blockBrokenPipes()
    guard let multi else { return end() }
    while true {
      let (starting, cancelled, isClosing) = queue.withLock { queue in
        defer { queue.starting = [] }
        return (queue.starting, queue.cancelled, queue.isClosing)
      }
      for transfer in starting { begin(transfer, multi) }
      for (easy, transfer) in active where isClosing || cancelled.contains(transfer.id) {
        remove(easy, multi)?.finish(.failure(isClosing ? .closed : .cancelled))
      }
      if isClosing { break }
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      collect(multi)
      var events: Int32 = 0
      curl_multi_poll(multi, nil, 0, Self.pollMilliseconds, &events)
    }
    end()
  }

  private func begin(_ transfer: Transfer, _ multi: UnsafeMutableRawPointer) {
    guard let easy = transfer.prepare(), curl_multi_add_handle(multi, easy) == CURLM_OK else {
      return transfer.finish(
        .failure(.requestInvalid("libcurl does not take this transfer.", hint: "")))
    }
    active[easy] = transfer
  }

  private func collect(_ multi: UnsafeMutableRawPointer) {
    var code = CURLE_OK
    while let easy = leeway_curl_next_done(multi, &code) {
      guard let transfer = active[easy] else { continue }
      let result = transfer.result(of: code)
      remove(easy, multi)?.finish(result)
    }
  }

  private func remove(
    _ easy: UnsafeMutableRawPointer, _ multi: UnsafeMutableRawPointer
  ) -> Transfer? {
    curl_multi_remove_handle(multi, easy)
    return active.removeValue(forKey: easy)
  }

  private func end() {
    let left = queue.withLock { queue in
      queue.isOver = true
      defer { queue.starting = [] }
      return queue.starting
    }
    for transfer in left { transfer.finish(.failure(.closed)) }
    if let multi { curl_multi_cleanup(multi) }
  }

  /// TLS writes may raise SIGPIPE, which would end the process; libcurl cannot mask it itself
  /// without signals of its own.
  private static func blockBrokenPipes() {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// How long the thread sleeps at most; wake-ups and libcurl's own timers end the sleep before.
  private static let pollMilliseconds: Int32 = 60_000
}
