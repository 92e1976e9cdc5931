// A thread that does one thing again and again.
//
// Writing to disks blocks, so it belongs neither on an event loop nor on the few threads that
// Swift's concurrency has; on a thread of its own a stalled disk stalls nothing else.

internal import Foundation
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// Runs a body on its own thread until stopped.
final class Ticker: Sendable {
  private let isStopped = Atomic<Bool>(false)
  private let ended = DispatchSemaphore(value: 0)

  /// How long a stop may go unnoticed. Sleeping in slices, not waiting for a moment: a clock that
  /// is set back must not put the thread to sleep for an hour.
  private static let sliceMillisecondsMax = 50

  /// - Parameters:
  ///   - name: of the thread, as debuggers and `top -H` show it.
  ///   - isBackground: the thread takes the processor only where the gateway leaves it: on a busy
  ///     machine calls come first.
  ///   - body: does one round and returns how long to wait for the next, in milliseconds; nil:
  ///     there is none.
  init(name: String, isBackground: Bool = false, body: @escaping @Sendable () -> Int?) {
    let thread = Thread { [self] in
      if isBackground { Self.stepBack() }
      while let delay = body(), wait(milliseconds: delay) {}
      ended.signal()
    }
    thread.name = name
    thread.start()
  }

  /// A quarter of a core against a busy event loop: enough to keep up, too little to delay a call.
  private static func stepBack() {
    #if canImport(Glibc)
      // 0 is the calling thread on Linux. A refusal costs nothing but the courtesy.
      _ = setpriority(.init(PRIO_PROCESS.rawValue), 0, 5)
    #endif
  }

  /// Returns when the round under way has ended; none follows.
  func stop() {
    isStopped.store(true, ordering: .releasing)
    ended.wait()
    // For whoever else stops it.
    ended.signal()
  }

  /// False where the ticker was stopped.
  private func wait(milliseconds: Int) -> Bool {
    var left = milliseconds
    while left > 0, !isStopped.load(ordering: .acquiring) {
      let slice = min(left, Self.sliceMillisecondsMax)
      Thread.sleep(forTimeInterval: Double(slice) / 1000)
      left -= slice
    }
    return !isStopped.load(ordering: .acquiring)
  }
}
