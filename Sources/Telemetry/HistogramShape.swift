// The bucket bounds of a histogram, in whole units, so that sums stay exact.
//
// The bounds of the gen_ai histograms are those that OpenTelemetry publishes for them (semantic
// conventions 1.41), so that dashboards made for other gateways fit ours.

/// Bounds of a histogram and the cells it takes: one per bound, one above all, one for the sum.
struct HistogramShape: Sendable {
  /// Upper bounds, inclusive, ascending, in units of 10^-decimals.
  let bounds: [Int64]
  /// How many decimals the unit has: 0 for tokens, 3 for seconds counted in milliseconds.
  let decimals: Int

  var cellCount: Int { bounds.count + 2 }

  /// Adds one value (in the shape's unit, ≥ 0) to the histogram that starts at `base`.
  @inline(__always)
  func record(_ value: Int64, in cells: AtomicCells, at base: Int) {
    var bucket = 0
    while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
    cells.add(1, at: base + bucket)
    cells.add(value, at: base + bounds.count + 1)
  }

  func isEmpty(in cells: AtomicCells, at base: Int) -> Bool {
    (0...bounds.count).allSatisfy { cells.value(at: base + $0) == 0 }
  }

  /// Writes buckets, sum and count. The count is the sum of the buckets as they were read, so that
  /// a scrape in the middle of a call is still consistent.
  func write(
    _ name: String, labels: [Label], from cells: AtomicCells, at base: Int,
    to text: inout PrometheusText
  ) {
    var total: Int64 = 0
    for (index, bound) in bounds.enumerated() {
      total += cells.value(at: base + index)
      let edge = PrometheusText.fixedPoint(bound, decimals: decimals)
      text.sample(name + "_bucket", labels + [Label("le", edge)], String(total))
    }
    total += cells.value(at: base + bounds.count)
    let sum = cells.value(at: base + bounds.count + 1)
    text.sample(name + "_bucket", labels + [Label("le", "+Inf")], String(total))
    text.sample(name + "_sum", labels, PrometheusText.fixedPoint(sum, decimals: decimals))
    text.sample(name + "_count", labels, String(total))
  }

  /// `gen_ai.client.token.usage`, in tokens.
  static let tokens = HistogramShape(
    bounds: [
      1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262_144, 1_048_576, 4_194_304, 16_777_216,
      67_108_864,
    ], decimals: 0)

  /// `gen_ai.server.request.duration`, in milliseconds.
  static let duration = HistogramShape(
    bounds: [
      10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 81920,
    ], decimals: 3)

  /// `gen_ai.server.time_to_first_token`, in milliseconds.
  static let firstToken = HistogramShape(
    bounds: [1, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000],
    decimals: 3)

  /// Charge over reservation, in thousandths: how much of what is held is used.
  static let estimateRatio = HistogramShape(
    bounds: [1, 10, 50, 100, 250, 500, 750, 900, 1000, 1100, 1500, 2000, 5000], decimals: 3)
}
