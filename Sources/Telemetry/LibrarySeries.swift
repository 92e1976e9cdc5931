// The handlers behind swift-metrics' counters, meters, recorders and timers.
//
// Libraries record on whatever thread they run on, so each value is one atomic word; a histogram
// may be read between its bucket and its sum, and the count is taken from the buckets for that
// reason.

import Metrics
import Synchronization

/// A series that can write itself.
protocol LibrarySeries: AnyObject, Sendable {
  func write(_ name: String, labels: [Label], to text: inout PrometheusText)
}

/// A `Double` that many threads add to.
final class AtomicDouble: Sendable {
  private let bits = Atomic<UInt64>(Double.zero.bitPattern)

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func store(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func add(_ amount: Double) {
    var old = bits.load(ordering: .relaxed)
    while true {
      let new = (Double(bitPattern: old) + amount).bitPattern
      let (exchanged, found) = bits.weakCompareExchange(
        expected: old, desired: new, ordering: .relaxed)
      if exchanged { return }
      old = found
    }
  }
}

final class LibraryCounter: CounterHandler, FloatingPointCounterHandler, LibrarySeries {
  private let sum = AtomicDouble()

  func increment(by amount: Int64) { sum.add(Double(amount)) }

  // A counter that falls looks like a restart to Prometheus.
  func increment(by amount: Double) { if amount > 0 { sum.add(amount) } }

  func reset() { sum.store(0) }

  func write(_ name: String, labels: [Label], to text: inout PrometheusText) {
    text.sample(name, labels, PrometheusText.number(sum.value))
  }
}

final class LibraryGauge: MeterHandler, RecorderHandler, LibrarySeries {
  private let current = AtomicDouble()

  func set(_ value: Int64) { current.store(Double(value)) }
  func set(_ value: Double) { current.store(value) }
  func increment(by amount: Double) { current.add(amount) }
  func decrement(by amount: Double) { current.add(-amount) }
  func record(_ value: Int64) { set(value) }
  func record(_ value: Double) { set(value) }

  func write(_ name: String, labels: [Label], to text: inout PrometheusText) {
    text.sample(name, labels, PrometheusText.number(current.value))
  }
}

final class LibraryHistogram: TimerHandler, RecorderHandler, LibrarySeries {
  private let bounds: [Double]
  private let counts: AtomicCells
  private let sum = AtomicDouble()

  /// Bounds for times, in seconds: those of the Prometheus clients.
  static let seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  /// Bounds for anything else.
  static let powers: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

  init(bounds: [Double]) {
    self.bounds = bounds
    counts = AtomicCells(count: bounds.count + 1)
  }

  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    guard value.isFinite else { return }
    counts.add(1, at: bounds.firstIndex { value <= $0 } ?? bounds.count)
    sum.add(value)
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  func write(_ name: String, labels: [Label], to text: inout PrometheusText) {
    var total: Int64 = 0
    for (index, bound) in bounds.enumerated() {
      total += counts.value(at: index)
      let edge = Label("le", PrometheusText.number(bound))
      text.sample(name + "_bucket", labels + [edge], String(total))
    }
    total += counts.value(at: bounds.count)
    text.sample(name + "_bucket", labels + [Label("le", "+Inf")], String(total))
    text.sample(name + "_sum", labels, PrometheusText.number(sum.value))
    text.sample(name + "_count", labels, String(total))
  }
}
