// What the admin port asks of the program. App fulfils it, so that this module knows neither
// gateway nor analyzer and its tests need neither.

/// The program as the admin port sees it.
public protocol Control: Sendable {
  /// Every app with its balances, and the program's own health. Thrown errors become a 503.
  func overview() async throws -> Overview

  /// The metrics in the Prometheus text format.
  func metrics() async -> String

  /// Why the program should get no calls now; empty: it is ready.
  func readiness() async -> [ReadinessProblem]

  /// The directory whose files `/reports/` serves.
  var reportsDirectory: String { get }
}

/// One reason why the program is not ready.
public struct ReadinessProblem: Hashable, Sendable, Codable {
  /// Bounded, for machines: `journal_unavailable`, `starting`, ….
  public var code: String
  /// For people: what is wrong and what to do.
  public var message: String

  public init(code: String, message: String) {
    self.code = code
    self.message = message
  }
}
