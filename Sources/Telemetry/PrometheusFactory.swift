// What libraries emit through swift-metrics, in our exposition.
//
// A library may put anything into a dimension, a URL with an id for one. The number of families and
// of series in each is therefore bounded here: what comes above is counted and dropped, so that
// no traffic can make a scrape, or this process, grow without end.

import Metrics
import Synchronization

/// A swift-metrics backend that writes the Prometheus text format.
///
/// Names are spelt as Prometheus asks for (`hb.request.duration` → `hb_request_duration_seconds`);
/// names of our own families are refused, so that a library cannot write into them.
public final class PrometheusFactory: MetricsFactory {
  enum Shape: Sendable { case counter, gauge, seconds, distribution }

  private struct Family {
    var shape: Shape
    var series: [[Label]: any LibrarySeries] = [:]
  }

  private struct State {
    var families: [String: Family] = [:]
    var dropped: Int64 = 0
  }

  private let familiesMax: Int
  private let seriesMax: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - familiesMax: most families of all libraries together.
  ///   - seriesMax: most label combinations in one family.
  public init(familiesMax: Int = 100, seriesMax: Int = 100) {
    self.familiesMax = familiesMax
    self.seriesMax = seriesMax
  }

  public func makeCounter(label: String, dimensions: [(String, String)]) -> CounterHandler {
    counter(label, dimensions) ?? NOOPMetricsHandler.instance
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> FloatingPointCounterHandler {
    counter(label, dimensions) ?? NOOPMetricsHandler.instance
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> MeterHandler {
    series(label, dimensions, .gauge) { LibraryGauge() } ?? NOOPMetricsHandler.instance
  }

  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> RecorderHandler {
    if !aggregate {
      return series(label, dimensions, .gauge) { LibraryGauge() } ?? NOOPMetricsHandler.instance
    }
    return series(label, dimensions, .distribution) {
      LibraryHistogram(bounds: LibraryHistogram.powers)
    } ?? NOOPMetricsHandler.instance
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> TimerHandler {
    series(label, dimensions, .seconds) {
      LibraryHistogram(bounds: LibraryHistogram.seconds)
    } ?? NOOPMetricsHandler.instance
  }

  // A series stays when its handle goes: Prometheus expects a counter to live as long as the
  // process.
  public func destroyCounter(_ handler: CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: MeterHandler) {}
  public func destroyRecorder(_ handler: RecorderHandler) {}
  public func destroyTimer(_ handler: TimerHandler) {}

  func write(to text: inout PrometheusText) {
    // Copied out, so that no library waits for a scrape.
    let (families, dropped) = state.withLock { ($0.families, $0.dropped) }
    text.single(
      "leeway_library_series_dropped_total", .counter,
      "Series of libraries that were not kept: too many, or under a name of ours.",
      String(dropped))
    for (name, family) in families.sorted(by: { $0.key < $1.key }) {
      text.family(name, family.shape.kind, "Emitted by a library.")
      let ordered = family.series.sorted { Self.order($0.key, $1.key) }
      for (labels, series) in ordered { series.write(name, labels: labels, to: &text) }
    }
  }

  private func counter(_ label: String, _ dimensions: [(String, String)]) -> LibraryCounter? {
    series(label, dimensions, .counter) { LibraryCounter() }
  }

  /// The series of that name and labels, made at its first use; nil where it may not be kept.
  private func series<Series: LibrarySeries>(
    _ label: String, _ dimensions: [(String, String)], _ shape: Shape, _ make: () -> Series
  ) -> Series? {
    let name = MetricName.family(label, shape)
    let labels = MetricName.labels(dimensions)
    return state.withLock { state in
      if MetricName.isReserved(name) { state.dropped += 1; return nil }
      var family = state.families[name] ?? Family(shape: shape)
      if let found = family.series[labels] {
        if let series = found as? Series { return series }
        state.dropped += 1
        return nil
      }
      let isNew = state.families[name] == nil
      guard
        family.shape == shape, family.series.count < seriesMax,
        !isNew || state.families.count < familiesMax
      else { state.dropped += 1; return nil }
      let series = make()
      family.series[labels] = series
      state.families[name] = family
      return series
    }
  }

  private static func order(_ left: [Label], _ right: [Label]) -> Bool {
    left.lexicographicallyPrecedes(right) { ($0.name, $0.value) < ($1.name, $1.value) }
  }
}

extension PrometheusFactory.Shape {
  var kind: PrometheusText.Kind {
    switch self {
    case .counter: .counter
    case .gauge: .gauge
    case .seconds, .distribution: .histogram
    }
  }
}

/// Spells libraries' names as Prometheus wants them.
enum MetricName {
  private static let reservedPrefixes = ["leeway_", "gen_ai_", "process_"]
  private static let valueCharactersMax = 120

  static func isReserved(_ name: String) -> Bool {
    reservedPrefixes.contains { name.hasPrefix($0) }
  }

  /// `hb.requests` → `hb_requests_total`: lower case, underscores, the suffix that its kind asks
  /// for.
  static func family(_ label: String, _ shape: PrometheusFactory.Shape) -> String {
    var name = identifier(label)
    for suffix in ["_total", "_seconds", "_milliseconds", "_nanoseconds"] {
      let isUnit = suffix != "_total"
      if name.hasSuffix(suffix), !isUnit || shape == .seconds {
        name.removeLast(suffix.count)
      }
    }
    switch shape {
    case .counter: return name + "_total"
    case .seconds: return name + "_seconds"
    case .gauge, .distribution: return name
    }
  }

  /// Labels in order of name; of two that come out the same the first stays.
  static func labels(_ dimensions: [(String, String)]) -> [Label] {
    var labels: [Label] = []
    for (key, value) in dimensions {
      var name = identifier(key)
      if name == "le" || name.hasPrefix("__") { name = "label_" + name }
      if labels.contains(where: { $0.name == name }) { continue }
      labels.append(Label(name, String(value.prefix(valueCharactersMax))))
    }
    return labels.sorted { $0.name < $1.name }
  }

  private static func identifier(_ text: String) -> String {
    var name = ""
    var lastWasLower = false
    for scalar in text.unicodeScalars {
      switch scalar {
      case "A"..."Z":
        if lastWasLower { name += "_" }
        name += String(scalar).lowercased()
        lastWasLower = false
      case "a"..."z", "0"..."9":
        if name.isEmpty, scalar.properties.numericType != nil { name += "_" }
        name.unicodeScalars.append(scalar)
        lastWasLower = true
      default:
        name += "_"
        lastWasLower = false
      }
    }
    return name.isEmpty ? "_" : name
  }
}
