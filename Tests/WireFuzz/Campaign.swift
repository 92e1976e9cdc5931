// The threads of a run. They take seeds in blocks, so that a run of any number of threads reads the
// same cases, and add what they counted after each block.

import Foundation
import Synchronization
import Wire
import WireFuzzing

final class Campaign: Sendable {
  private struct State {
    var next = 0
    var running = 0
    var isStopped = false
    var tally = FuzzTally()
    var found: FuzzCase?
  }

  private static let blockCases = 500
  private let cases: Int
  private let seed: UInt64
  private let sides: [WireSide]
  private let threads: Int
  private let state = Mutex(State())

  /// - Parameter sides: whose bytes, in turn from seed to seed.
  init(cases: Int, seed: UInt64, sides: [WireSide], threads: Int) {
    self.cases = cases
    self.seed = seed
    self.sides = sides
    self.threads = threads
  }

  var tally: FuzzTally { state.withLock { $0.tally } }
  /// The case with the lowest seed of those that showed a difference.
  var found: FuzzCase? { state.withLock { $0.found } }

  func stop() { state.withLock { $0.isStopped = true } }

  func start() {
    state.withLock { $0.running = threads }
    for _ in 0..<threads {
      let thread = Thread { self.work() }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// Waits a while. - Returns: whether all threads have ended.
  func wait(seconds: Double) -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
      if state.withLock({ $0.running == 0 }) { return true }
      Thread.sleep(forTimeInterval: 0.02)
    }
    return false
  }

  private func work() {
    while let block = nextBlock() {
      let runner = FuzzRunner()
      var found: FuzzCase?
      for number in block {
        let example = FuzzCase(sides[number % sides.count], seed: seed &+ UInt64(number))
        if runner.run(example) != nil {
          found = example
          break
        }
      }
      state.withLock { state in
        state.tally.add(runner.tally)
        guard let found else { return }
        state.isStopped = true
        if found.seed < state.found?.seed ?? .max { state.found = found }
      }
    }
    state.withLock { $0.running -= 1 }
  }

  private func nextBlock() -> Range<Int>? {
    state.withLock { state in
      guard !state.isStopped, state.next < cases else { return nil }
      let start = state.next
      state.next = min(start + Self.blockCases, cases)
      return start..<state.next
    }
  }
}
