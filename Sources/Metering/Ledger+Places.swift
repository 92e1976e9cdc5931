// Places of accounts in the ledger's row of balances: given out once, and taken back where nothing
// stands in them.
//
// Windows end and end users are made up, so that places are taken back in two ways, both a piece at
// a time, since admission waits meanwhile: what is long over is forgotten, once an event says so,
// and what stands at zero is reclaimed when there are many new places. Only Admission keeps places
// for itself; it is told which are gone.

extension Ledger {
  /// A forgetting under way. Whoever asks finds it done: an account that is not cleared away yet
  /// counts as gone, but for those that calls held, or that were asked for, since it began.
  struct Sweep: Sendable {
    let longOver: LongOver
    /// The places that were there when it began, and are not looked at yet.
    var rest: Range<Int>
    /// What may not go, though its name says so.
    var kept: Set<Int>
  }

  static let noAccount = AccountID(app: "", budget: "", window: "")

  /// The place of accounts that have none: nothing is ever counted in it.
  static let nowhere = 0

  /// Places given out, those that are free again included: what the row takes of memory.
  var placeCount: Int { names.count }

  /// The account's place; a new one stands at zero.
  mutating func place(of id: AccountID) -> Int {
    if let place = knownPlace(of: id) { return place }
    if let place = freePlaces.popLast() {
      placeOfAccount[id] = place
      names[place] = id
      return place
    }
    placeOfAccount[id] = names.count
    names.append(id)
    balances.append(Account())
    return names.count - 1
  }

  /// The account's place; nil: it has none.
  mutating func knownPlace(of id: AccountID) -> Int? {
    guard let place = placeOfAccount[id] else { return nil }
    if isForgotten(place) {
      // It begins anew, and what is counted in it from here on stays.
      balances[place] = Account()
      sweep?.kept.insert(place)
    }
    return place
  }

  mutating func places(of ids: [AccountID]) -> [Int] {
    if ids != latest.accounts { latest = (ids, ids.map { place(of: $0) }) }
    return latest.places
  }

  /// What holds nothing needs no places: it could not be told from who has gone.
  mutating func places(of ids: [AccountID], holding amounts: Amounts) -> [Int] {
    amounts == .zero ? [] : places(of: ids)
  }

  /// The account at a place that this ledger gave out.
  @inline(__always)
  func account(at place: Int) -> Account { balances[place] }

  func name(at place: Int) -> AccountID { names[place] }

  // MARK: Forgetting

  /// Whether the account at a place is gone, though it is not cleared away yet.
  func isForgotten(_ place: Int) -> Bool {
    guard let sweep, sweep.rest.contains(place), balances[place].reserved == .zero,
      !sweep.kept.contains(place)
    else { return false }
    return sweep.longOver.contains(names[place])
  }

  /// Forgets what is long over and held by no call.
  mutating func beginForgetting(at now: Timestamp) {
    _ = forget(pieceOf: .max)
    let longOver = LongOver(at: now)
    var kept: Set<Int> = []
    forEachHeldPlace { if longOver.contains(names[$0]) { kept.insert($0) } }
    sweep = Sweep(longOver: longOver, rest: 0..<names.count, kept: kept)
    latest = ([], [])
  }

  /// Clears the next so many places of what is forgotten.
  /// - Returns: the places that are free now.
  mutating func forget(pieceOf count: Int) -> [Int] {
    guard let rest = sweep?.rest else { return [] }
    let piece = rest.prefix(count)
    let freed = free(piece)
    sweep?.rest = piece.endIndex..<rest.upperBound
    if piece.endIndex == rest.upperBound { sweep = nil }
    return freed
  }

  // MARK: Reclaiming

  /// Takes back places of accounts that stand at zero, among the next so many; who asks for them
  /// again gets others.
  /// - Returns: the places that are free now.
  mutating func reclaim(pieceOf count: Int) -> [Int] {
    if nextReclaimed >= names.count { nextReclaimed = 0 }
    let piece = (nextReclaimed..<names.count).prefix(count)
    nextReclaimed = piece.endIndex
    return free(piece)
  }

  private mutating func free(_ places: Range<Int>) -> [Int] {
    var freed: [Int] = []
    for place in places where names[place] != Self.noAccount {
      guard balances[place] == Account() || isForgotten(place) else { continue }
      placeOfAccount[names[place]] = nil
      names[place] = Self.noAccount
      balances[place] = Account()
      freed.append(place)
    }
    freePlaces += freed
    if !freed.isEmpty { latest = ([], []) }
    return freed
  }

  /// Whether a place in a range has an account that is long over and held by no call.
  func hasLongOver(_ longOver: LongOver, in places: Range<Int>) -> Bool {
    places.contains {
      balances[$0] != Account() && balances[$0].reserved == .zero && longOver.contains(names[$0])
    }
  }
}
