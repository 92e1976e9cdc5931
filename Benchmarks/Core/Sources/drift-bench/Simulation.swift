// Many runs over all cores, and what they come to with the uncertainty that is left.

import Drift
import Foundation

/// A share or a median over runs, with its 99 % interval.
struct Figure: Codable {
  var scenario: String
  var rule: String
  var name: String
  var value: Double
  var low: Double
  var high: Double
  var runs: Int
  var isShare: Bool
}

struct Simulation {
  private static let z = 2.5758293035489004
  var seed: UInt64
  var cores: Int

  /// Results of every run, in order whatever the cores do; each run has a generator of its own.
  func runs<Result: Sendable>(
    _ name: String, _ count: Int, _ run: @escaping @Sendable (inout Xoshiro256) throws -> Result
  ) throws -> [Result] {
    let results = Results<Result>(count: count, name: name)
    let seed = self.seed
    let lanes = min(cores, count)
    DispatchQueue.concurrentPerform(iterations: lanes) { lane in
      for index in stride(from: lane, to: count, by: lanes) {
        var generator = Xoshiro256(seed: seed &+ UInt64(index) &* 0x9E37_79B9)
        results.set(index, Swift.Result { try run(&generator) })
      }
    }
    return try results.all()
  }

  static func share(
    _ scenario: String, _ rule: String, _ name: String, of hits: [Bool]
  ) -> Figure {
    let count = Double(hits.count)
    let value = Double(hits.filter { $0 }.count) / max(count, 1)
    let interval = Interval.wilson(share: value, size: count, z: z)
    return Figure(
      scenario: scenario, rule: rule, name: name, value: value, low: interval.low,
      high: interval.high, runs: hits.count, isShare: true)
  }

  /// The median with the order statistics that hold it at 99 %.
  static func median(
    _ scenario: String, _ rule: String, _ name: String, of values: [Double]
  ) -> Figure {
    let sorted = values.sorted()
    func at(_ place: Double) -> Double {
      guard !sorted.isEmpty else { return .infinity }
      return sorted[min(max(Int(place.rounded(.down)), 0), sorted.count - 1)]
    }
    let middle = Double(sorted.count) / 2
    let half = z * Double(sorted.count).squareRoot() / 2
    return Figure(
      scenario: scenario, rule: rule, name: name, value: at(middle), low: at(middle - half),
      high: at(middle + half), runs: sorted.count, isShare: false)
  }
}

/// Results by run, filled by several threads.
private final class Results<Value: Sendable>: @unchecked Sendable {  // Guarded by `lock`.
  private let lock = NSLock()
  private let name: String
  private var values: [Result<Value, any Error>?]
  private var done = 0
  private let isTerminal = isatty(STDERR_FILENO) == 1

  init(count: Int, name: String) {
    values = Array(repeating: nil, count: count)
    self.name = name
  }

  func set(_ index: Int, _ value: Result<Value, any Error>) {
    lock.withLock {
      values[index] = value
      done += 1
      guard isTerminal, done % 20 == 0 || done == values.count else { return }
      let end = done == values.count ? "\r\u{1B}[K" : ""
      FileHandle.standardError.write(Data("\r\(name): \(done)/\(values.count)\(end)".utf8))
    }
  }

  func all() throws -> [Value] {
    try lock.withLock { try values.compactMap { $0 }.map { try $0.get() } }
  }
}
