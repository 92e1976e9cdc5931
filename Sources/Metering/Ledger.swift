// The ledger: balances and open reservations, as a fold over events.
//
// Balances lie in one row and an account's name is looked up once per window, not once per call:
// who knows an account's place in the row reads and writes it without hashing three strings.

/// Balances of all accounts, open reservations and stopped apps.
///
/// `apply` is the only way in, so that the state in memory, the checkpoint in the store and a
/// replay of the journal cannot differ.
public struct Ledger: Sendable {
  public struct Account: Hashable, Sendable, Codable {
    /// Charged so far. May pass the cap only by a provider's billing beyond the request's own
    /// bound.
    public var settled: Amounts
    /// Held by open reservations.
    public var reserved: Amounts

    public init(settled: Amounts = .zero, reserved: Amounts = .zero) {
      self.settled = settled
      self.reserved = reserved
    }

    /// What further calls are compared with the cap on top of.
    @inline(__always)
    var taken: Amounts { settled.addingClamped(reserved) }
  }

  public struct OpenReservation: Hashable, Sendable, Codable {
    public var app: String
    public var amounts: Amounts
    public var accounts: [AccountID]

    public init(app: String, amounts: Amounts, accounts: [AccountID]) {
      self.app = app
      self.amounts = amounts
      self.accounts = accounts
    }
  }

  /// An open reservation and the places of its accounts.
  private struct Held: Sendable {
    var reservation: OpenReservation
    var places: [Int]
  }

  /// An account's place in the row of balances, for as long as it has one: see `Ledger+Places`.
  var placeOfAccount: [AccountID: Int] = [:]
  /// By place; `Ledger.noAccount` where it is free.
  var names = [Ledger.noAccount]
  var balances = [Account()]
  /// Places that no account has.
  var freePlaces: [Int] = []
  /// Where the next look for places that are not needed begins.
  var nextReclaimed = 0
  /// What is being forgotten: apart, since it is nearly always nothing, and a ledger is passed on.
  private var sweeping = Sweeping.nothing
  private var held: [CallID: Held] = [:]
  /// Of open reservations, those whose work goes on at the provider.
  public private(set) var followed: [CallID: FollowedJob] = [:]
  /// The accounts that were looked up last, with their places: a replay's calls name the same ones
  /// for as long as a window lasts.
  var latest: (accounts: [AccountID], places: [Int]) = ([], [])
  /// Apps stopped from outside, with the reason.
  public private(set) var capped: [String: String]
  /// Apps stopped at once.
  public private(set) var isolated: [String: Isolation]
  /// The highest order sequence applied.
  public private(set) var lastOrder: Int64
  /// The highest number of a repricing applied.
  public private(set) var lastRepricing: Int64
  public private(set) var lastSequence: UInt64

  public init(
    accounts: [AccountID: Account] = [:], open: [CallID: OpenReservation] = [:],
    followed: [CallID: FollowedJob] = [:], capped: [String: String] = [:],
    isolated: [String: Isolation] = [:], lastOrder: Int64 = 0,
    lastRepricing: Int64 = 0, lastSequence: UInt64 = 0
  ) {
    self.capped = capped
    self.isolated = isolated
    self.lastOrder = lastOrder
    self.lastRepricing = lastRepricing
    self.lastSequence = lastSequence
    for (id, account) in accounts { balances[place(of: id)] = account }
    for (call, reservation) in open {
      let places = places(of: reservation.accounts, holding: reservation.amounts)
      held[call] = Held(reservation: reservation, places: places)
    }
    self.followed = followed.filter { held[$0.key] != nil }
  }

  private enum Sweeping: Sendable {
    case nothing
    indirect case under(Sweep)
  }

  /// What is being forgotten; nil: nothing is.
  var sweep: Sweep? {
    get { if case .under(let sweep) = sweeping { sweep } else { nil } }
    set { sweeping = newValue.map { .under($0) } ?? .nothing }
  }

  // MARK: Views

  /// Every account that does not stand at zero.
  public var accounts: [AccountID: Account] {
    var accounts: [AccountID: Account] = [:]
    for (id, place) in placeOfAccount where balances[place] != Account() && !isForgotten(place) {
      accounts[id] = balances[place]
    }
    return accounts
  }

  public func account(_ id: AccountID) -> Account {
    guard let place = placeOfAccount[id], !isForgotten(place) else { return Account() }
    return balances[place]
  }

  public var open: [CallID: OpenReservation] { held.mapValues(\.reservation) }

  public var openCount: Int { held.count }

  /// What an open call holds; nil where it is not open.
  public func reservation(of call: CallID) -> OpenReservation? { held[call]?.reservation }

  /// The places that an open call holds something in; nil where it is not open.
  func places(of call: CallID) -> [Int]? { held[call]?.places }

  /// Every place that an open call holds something in.
  func forEachHeldPlace(_ body: (Int) -> Void) {
    for open in held.values { open.places.forEach(body) }
  }

  // MARK: Events

  /// Applies one event; one that was applied before changes nothing.
  public mutating func apply(_ event: LedgerEvent) {
    apply(event, at: nil)
    _ = forget(pieceOf: .max)
  }

  /// Applies one event; what it forgets is gone for all who ask, and `forget(pieceOf:)` clears it
  /// away.
  ///
  /// - Parameter places: where the accounts of a reserving event stand; nil: look them up.
  mutating func apply(_ event: LedgerEvent, at places: [Int]?) {
    guard event.sequence > lastSequence else { return }
    lastSequence = event.sequence
    switch event.kind {
    case .reserved(let reserved):
      // What holds nothing needs no places: it could not be told from who has gone.
      let places =
        reserved.amounts == .zero ? [] : places ?? self.places(of: reserved.accounts)
      for place in places {
        balances[place].reserved.add(reserved.amounts)
      }
      held[reserved.call] = Held(
        reservation: OpenReservation(
          app: reserved.app, amounts: reserved.amounts, accounts: reserved.accounts),
        places: places)
    case .settled(let settled):
      close(settled.call, charge: settled.charge, tokens: settled.outcome.tokens)
    case .released(let call, _):
      close(call, charge: nil, tokens: 0)
    case .expired(let call, let charge):
      close(call, charge: charge, tokens: nil)
    case .refused:
      break
    case .capped(let app, let reason, let order):
      capped[app] = reason
      if reason == nil { isolated[app] = nil }
      lastOrder = max(lastOrder, order)
    case .isolated(let app, let isolation):
      isolated[app] = isolation
      lastOrder = max(lastOrder, isolation.order)
    case .repriced(let repricing):
      for difference in repricing.differences {
        let place = place(of: difference.account)
        balances[place].settled.money = balances[place].settled.money.addingClamped(
          difference.amount)
      }
      lastRepricing = max(lastRepricing, repricing.number)
    case .followed(let call, let job):
      if held[call] != nil { followed[call] = job }
    case .forgotten: beginForgetting(at: event.at)
    }
  }

  /// - Parameters:
  ///   - charge: nil: it was not done, and counts as no call.
  ///   - tokens: what it used; nil: what it held.
  private mutating func close(_ call: CallID, charge: Money?, tokens: Int64?) {
    guard let ended = held.removeValue(forKey: call) else { return }
    if !followed.isEmpty { followed[call] = nil }
    let amounts = ended.reservation.amounts
    var used = Amounts.zero
    if let charge {
      used = Amounts(money: charge, tokens: tokens ?? amounts.tokens, calls: amounts.calls)
    }
    guard !ended.places.isEmpty else {
      if used != .zero { settle(used, for: ended.reservation) }
      return
    }
    for place in ended.places {
      balances[place].settled.add(used)
      balances[place].reserved.subtract(amounts)
    }
  }

  /// What held nothing, and has no places, may cost something all the same.
  @inline(never)
  private mutating func settle(_ used: Amounts, for reservation: OpenReservation) {
    for place in places(of: reservation.accounts) { balances[place].settled.add(used) }
  }
}

extension Ledger: Equatable {
  /// Equal in all that they say: where accounts stand in the row is nobody's business.
  public static func == (left: Ledger, right: Ledger) -> Bool {
    left.lastSequence == right.lastSequence && left.lastOrder == right.lastOrder
      && left.lastRepricing == right.lastRepricing
      && left.capped == right.capped && left.isolated == right.isolated
      && left.open == right.open && left.followed == right.followed
      && left.accounts == right.accounts
  }
}
