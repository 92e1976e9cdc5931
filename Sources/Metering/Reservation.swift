// The right to make one call, paid for in advance.

/// An open reservation. It cannot be copied, and `Admission.settle` and `release` consume it, so
/// that a call is charged once; dropping one without either traps in debug builds.
public struct Reservation: ~Copyable, Sendable {
  public let call: CallID
  /// What was reserved: the most that this call may cost.
  public let amount: Money
  /// Its place among what open calls have taken of rates; -1: it has taken nothing.
  let lease: Int

  init(call: CallID, amount: Money, lease: Int = -1) {
    self.call = call
    self.amount = amount
    self.lease = lease
  }

  /// Ends the value's life on purpose.
  consuming func close() -> CallID {
    let call = call
    discard self
    return call
  }

  deinit { assertionFailure("a reservation was dropped without settle or release") }
}
