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

  /// Places an order and applies it. Nil: there is no such app.
  func place(_ order: AdminOrder) async throws -> Int64?

  /// The directory whose files `/reports/` serves.
  var reportsDirectory: String { get }
}

/// What a signed call orders.
public struct AdminOrder: Hashable, Sendable {
  public var app: String
  /// Else the app is restored.
  public var isIsolation: Bool
  /// Who orders it, as the call says.
  public var actor: String
  public var reason: String

  public init(app: String, isIsolation: Bool, actor: String, reason: String) {
    self.app = app
    self.isIsolation = isIsolation
    self.actor = actor
    self.reason = reason
  }
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
