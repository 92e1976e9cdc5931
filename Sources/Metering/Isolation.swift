// An app that was stopped at once. Unlike a cap it ends the calls that are under way, too.

/// Who isolated an app, and why.
public struct Isolation: Hashable, Sendable, Codable {
  /// The order's sequence, which people quote.
  public var order: Int64
  /// Who gave it: a person's name, `admin NAME`.
  public var actor: String
  /// For the record. Callers do not read it: it may say what an attacker should not know.
  public var reason: String

  public init(order: Int64, actor: String, reason: String) {
    self.order = order
    self.actor = actor
    self.reason = reason
  }
}

extension Admission {
  /// Stops an app and lets no call of it pass until it is restored. Nil where the order was applied
  /// before.
  public mutating func isolate(
    app: String, _ isolation: Isolation, at now: Timestamp
  ) -> LedgerEvent? {
    guard isolation.order > ledger.lastOrder else { return nil }
    return record(.isolated(app: app, isolation), at: now)
  }
}
