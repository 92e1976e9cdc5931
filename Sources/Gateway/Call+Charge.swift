// What an ended call costs, by the status of its answer.

extension Call {
  /// What an admitted call costs.
  enum Charge: Equatable {
    /// The usage that the provider reported; its estimate where it reported none.
    case reportedElseEstimate
    /// The usage that the provider reported; nothing where it reported none.
    case reportedElseNothing
    /// The usage that the provider reported, where the answer is whole; else the input, what came
    /// of the answer, and an allowance for what was under way.
    case received
    /// The upstream did no work.
    case nothing
  }
}

extension Call.Charge {
  /// A provider that answers with an error and no usage did no work; one that answers well, or has
  /// not answered yet, may have.
  ///
  /// A job goes on whatever became of the answer, so there an error has to say plainly that none
  /// was made. A proxy's word that it waited in vain does not, nor that something broke at the
  /// provider; the provider's own that it is too busy does.
  ///
  /// - Parameters:
  ///   - status: of the answer; 0: none came.
  ///   - makesJob: what the call makes at the provider may go on without it.
  ///   - saysError: the answer is an error's document in the provider's own form, and whole.
  init(status: Int, makesJob: Bool, saysError: Bool) {
    let isRefusal =
      switch status {
      case ..<400: false
      // Waited in vain: the server, for a caller or for itself; nginx, for a caller that left.
      case 408, 499: !makesJob
      case 400..<500: true
      case 501, 503, 529: !makesJob || saysError
      default: !makesJob
      }
    self = isRefusal ? .reportedElseNothing : .reportedElseEstimate
  }
}
