// Charges that were made at a wrong price, made again: a new event, never a change of an old one.

/// Calls that are charged anew, and what that moves.
public struct Repricing: Hashable, Sendable {
  /// A call and what it is charged from now on.
  public struct Charge: Hashable, Sendable {
    public var call: CallID
    public var charge: Money

    public init(call: CallID, charge: Money) {
      self.call = call
      self.charge = charge
    }
  }

  /// What an account's settled sum moves by; below zero where calls became cheaper.
  public struct Difference: Hashable, Sendable {
    public var account: AccountID
    public var amount: Money

    public init(account: AccountID, amount: Money) {
      self.account = account
      self.amount = amount
    }
  }

  /// Ascending and never reused; one that was applied before changes nothing.
  public var number: Int64
  /// Ascending by call, each once.
  public var charges: [Charge]
  /// Of every account that one of the calls was charged to, whatever its window. Each once.
  public var differences: [Difference]

  public init(number: Int64, charges: [Charge], differences: [Difference]) {
    self.number = number
    self.charges = charges
    self.differences = differences
  }
}
