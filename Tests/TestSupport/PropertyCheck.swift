// Checks a property over many random lists of events and, where it fails, finds a small list that
// still fails: a story of three events can be understood, one of eighty cannot.

import Foundation

/// A property that does not hold, with the smallest list found that breaks it.
public struct PropertyFailure: Error, CustomStringConvertible {
  public var property: String
  /// Repeats the run: set the environment variable `LEEWAY_SEED` to it.
  public var seed: UInt64
  /// One line an event.
  public var smallestCase: [String]
  /// What the property said of the smallest case.
  public var reason: String

  public var description: String {
    let lines = smallestCase.enumerated().map { "  \($0.offset): \($0.element)" }
    return """
      property '\(property)' does not hold (LEEWAY_SEED=\(seed)): \(reason)
      smallest failing case, \(smallestCase.count) event(s):
      \(lines.joined(separator: "\n"))
      """
  }
}

/// A reason that a property gives for failing.
public struct Falsified: Error, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}

/// Fails a property where a condition does not hold.
public func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
  if !condition { throw Falsified(reason()) }
}

/// Runs `check` on `runs` random lists; throws a `PropertyFailure` for the first that it rejects.
///
/// The environment variable `LEEWAY_SEED` repeats one run alone.
/// - Parameters:
///   - runs: how many lists; each has a seed of its own, from 1 up.
///   - countMax: the most events in a list.
///   - generate: makes one event.
///   - simplify: smaller variants of an event, tried in order while shrinking.
///   - check: throws where the property does not hold. It must not depend on anything but the list.
public func checkProperty<Event>(
  _ property: String, runs: Int = 200, countMax: Int = 60,
  generate: (inout SeededGenerator) -> Event,
  simplify: (Event) -> [Event] = { _ in [] },
  check: ([Event]) throws -> Void
) throws {
  var seeds = Array(UInt64(1)...UInt64(max(runs, 1)))
  if let text = ProcessInfo.processInfo.environment["LEEWAY_SEED"], let seed = UInt64(text) {
    seeds = [seed]
  }
  for seed in seeds {
    var generator = SeededGenerator(seed: seed)
    let count = generator.int(0...countMax)
    let events = (0..<count).map { _ in generate(&generator) }
    guard let reason = failure(of: events, check) else { continue }
    let (smallest, why) = shrink(events, reason: reason, simplify: simplify, check: check)
    throw PropertyFailure(
      property: property, seed: seed, smallestCase: smallest.map { String(describing: $0) },
      reason: why)
  }
}

/// As above, over lists of whole numbers, which shrink towards the number nearest zero.
public func checkProperty(
  _ property: String, over numbers: ClosedRange<Int64>, runs: Int = 200, countMax: Int = 60,
  check: ([Int64]) throws -> Void
) throws {
  let floor = min(max(0, numbers.lowerBound), numbers.upperBound)
  try checkProperty(
    property, runs: runs, countMax: countMax,
    generate: { generator in
      // Small numbers and the ends find more faults than the middle of a wide range.
      switch generator.int(0...9) {
      case 0: return numbers.lowerBound
      case 1: return numbers.upperBound
      case 2...4:
        let near = generator.int(Int64(-20)...20)
        return min(max(near, numbers.lowerBound), numbers.upperBound)
      default: return generator.int(numbers)
      }
    },
    simplify: { number in
      let step = number > floor ? number - 1 : number + 1
      return number == floor ? [] : [floor, number / 2, step].filter { numbers.contains($0) }
    },
    check: check)
}

private func failure<Event>(of events: [Event], _ check: ([Event]) throws -> Void) -> String? {
  do {
    try check(events)
    return nil
  } catch {
    return String(describing: error)
  }
}

/// Drops halves, quarters … single events, then simplifies events one by one, while it still fails.
private func shrink<Event>(
  _ events: [Event], reason: String, simplify: (Event) -> [Event],
  check: ([Event]) throws -> Void
) -> ([Event], String) {
  var smallest = events
  var why = reason
  var attemptsLeft = 5_000
  func accepts(_ candidate: [Event]) -> Bool {
    guard attemptsLeft > 0 else { return false }
    attemptsLeft -= 1
    guard let reason = failure(of: candidate, check) else { return false }
    smallest = candidate
    why = reason
    return true
  }
  var improved = true
  while improved {
    improved = false
    var size = smallest.count
    while size >= 1 {
      var start = 0
      while start < smallest.count {
        var candidate = smallest
        candidate.removeSubrange(start..<min(start + size, candidate.count))
        if accepts(candidate) { improved = true } else { start += size }
      }
      size /= 2
    }
    for index in smallest.indices {
      for simpler in simplify(smallest[index]) {
        var candidate = smallest
        candidate[index] = simpler
        if accepts(candidate) {
          improved = true
          break
        }
      }
    }
  }
  return (smallest, why)
}
