// What the load generator writes and the orchestrator reads.

/// The result of one run of load.
public struct LoadResult: Codable, Sendable {
  /// Whole answers with a 2xx status.
  public var calls: Int
  /// Answers that were refused, malformed or cut off.
  public var errors: Int
  /// The first error, in words.
  public var firstError: String?
  public var seconds: Double
  public var callsPerSecond: Double
  /// read(2) calls that brought bytes, per call: how finely a stream arrived.
  public var readsPerCall: Double
  /// From the request (at a fixed rate: from the time at which it was due) to the answer's end.
  public var latency: Quantiles
  /// From the request to the answer's first byte.
  public var firstByte: Quantiles
  /// From an event's sending by the mock to its arrival; paced streams only.
  public var eventDelay: Quantiles?

  public init(
    calls: Int, errors: Int, firstError: String?, seconds: Double, reads: Int,
    latency: Histogram, firstByte: Histogram, eventDelay: Histogram
  ) {
    self.calls = calls
    self.errors = errors
    self.firstError = firstError
    self.seconds = seconds
    callsPerSecond = seconds > 0 ? Double(calls) / seconds : 0
    readsPerCall = calls > 0 ? Double(reads) / Double(calls) : 0
    self.latency = Quantiles(latency)
    self.firstByte = Quantiles(firstByte)
    self.eventDelay = eventDelay.count > 0 ? Quantiles(eventDelay) : nil
  }
}

/// Several rounds' values of one figure.
public struct Spread: Codable, Equatable, Sendable {
  public var median: Double
  public var min: Double
  public var max: Double

  /// Nil where there is no value.
  public init?(_ values: [Double]) {
    let sorted = values.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    let middle = sorted.count / 2
    median =
      sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    min = first
    max = last
  }
}
