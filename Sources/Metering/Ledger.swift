// The ledger: balances and open reservations, as a fold over events.

/// Balances of all accounts, open reservations and capped apps.
///
/// `apply` is the only way in, so that the state in memory, the checkpoint in the store and a
/// replay of the journal cannot differ.
public struct Ledger: Hashable, Sendable {
  public struct Account: Hashable, Sendable, Codable {
    /// Charged so far. May pass the cap only by a provider's billing beyond the request's own
    /// bound.
    public var settled: Money
    /// Held by open reservations.
    public var reserved: Money

    public init(settled: Money = .zero, reserved: Money = .zero) {
      self.settled = settled
      self.reserved = reserved
    }
  }

  public struct OpenReservation: Hashable, Sendable, Codable {
    public var app: String
    public var amount: Money
    public var accounts: [AccountID]

    public init(app: String, amount: Money, accounts: [AccountID]) {
      self.app = app
      self.amount = amount
      self.accounts = accounts
    }
  }

  public internal(set) var accounts: [AccountID: Account]
  public internal(set) var open: [CallID: OpenReservation]
  /// Apps stopped from outside, with the reason.
  public internal(set) var capped: [String: String]
  /// The highest order sequence applied.
  public internal(set) var lastOrder: Int64
  public internal(set) var lastSequence: UInt64

  public init(
    accounts: [AccountID: Account] = [:], open: [CallID: OpenReservation] = [:],
    capped: [String: String] = [:], lastOrder: Int64 = 0, lastSequence: UInt64 = 0
  ) {
    self.accounts = accounts
    self.open = open
    self.capped = capped
    self.lastOrder = lastOrder
    self.lastSequence = lastSequence
  }

  /// Applies one event; one that was applied before changes nothing.
  public mutating func apply(_ event: LedgerEvent) {
    guard event.sequence > lastSequence else { return }
    lastSequence = event.sequence
    switch event.kind {
    case .reserved(let reserved):
      for id in reserved.accounts {
        let held = accounts[id, default: Account()].reserved.addingClamped(reserved.amount)
        accounts[id, default: Account()].reserved = held
      }
      open[reserved.call] = OpenReservation(
        app: reserved.app, amount: reserved.amount, accounts: reserved.accounts)
    case .settled(let settled):
      close(settled.call, charge: settled.charge)
    case .released(let call, _):
      close(call, charge: .zero)
    case .expired(let call, let charge):
      close(call, charge: charge)
    case .refused:
      break
    case .capped(let app, let reason, let order):
      capped[app] = reason
      lastOrder = max(lastOrder, order)
    }
  }

  private mutating func close(_ call: CallID, charge: Money) {
    guard let reservation = open.removeValue(forKey: call) else { return }
    let given = Money(nanodollars: -reservation.amount.nanodollars)
    for id in reservation.accounts {
      var account = accounts[id, default: Account()]
      account.reserved = account.reserved.addingClamped(given)
      account.settled = account.settled.addingClamped(charge)
      accounts[id] = account
    }
  }

  public func account(_ id: AccountID) -> Account { accounts[id] ?? Account() }
}
