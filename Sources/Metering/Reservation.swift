// The right to make one call, paid for in advance.

/// An open reservation. It cannot be copied, and `Admission.settle` and `release` consume it, so
/// that a call is charged once; dropping one without either traps in debug builds.
public struct Reservation: ~Copyable, Sendable {
  /// What its end needs of it.
  struct Ticket: Sendable {
    let call: CallID
    /// Its place among what open calls have taken of rates; -1: it has taken nothing.
    var lease = -1
    /// Of a call whose app's holds are calibrated.
    var app: Int?
    /// Where its charge is noted; -1: nowhere.
    var history = -1
    /// The most that it may cost, and how much less it holds.
    var most = Money.zero
    var less = Money.zero
  }

  let ticket: Ticket
  /// What was reserved: the most that this call may cost, or what calls like it did.
  public let amount: Money

  public var call: CallID { ticket.call }

  init(_ ticket: Ticket, amount: Money) {
    self.ticket = ticket
    self.amount = amount
  }

  /// Ends the value's life on purpose.
  consuming func close() -> Ticket {
    let ticket = ticket
    discard self
    return ticket
  }

  deinit { assertionFailure("a reservation was dropped without settle or release") }
}
