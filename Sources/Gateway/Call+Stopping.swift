// What ends a call that neither peer has ended: the clock, a shutdown, an order, its own bound.

import Metering

extension Call {
  enum TimeoutAction: Equatable {
    case ignore
    /// The caller was too slow with its body.
    case refuse(Denial)
    case end(Ending)
  }

  /// The phase's own time is up.
  mutating func timedOut() -> TimeoutAction {
    switch phase {
    case .opened, .holding, .admitting:
      phase = .ended
      return .refuse(.requestInvalid(message: "The request's body did not arrive in time."))
    case .fetching:
      phase = .ended
      return .refuse(.inputUnavailable(reason: "it did not arrive in time; try again shortly."))
    case .connecting:
      let failure = UpstreamFailure.connectTimeout
      return .end(end(.timeout, .nothing, .failure(failure), status: failure.httpStatus))
    case .awaiting:
      let failure = UpstreamFailure.answerTimeout
      return .end(
        end(.timeout, .reportedElseEstimate, .failure(failure), status: failure.httpStatus))
    case .relaying(let status):
      return .end(end(.timeout, charge(status), .cut, status: status))
    case .draining(let status, _):
      return .end(end(.clientGone, charge(status), .nothing, status: 0))
    case .ended:
      return .ignore
    }
  }

  /// The gateway stops and its grace is over.
  mutating func stopped() -> TimeoutAction {
    switch phase {
    case .opened, .holding, .fetching, .admitting:
      phase = .ended
      return .refuse(.shuttingDown)
    case .connecting:
      let failure = UpstreamFailure.stopping
      return .end(end(.shutdown, .nothing, .failure(failure), status: failure.httpStatus))
    case .awaiting:
      let failure = UpstreamFailure.stopping
      return .end(
        end(.shutdown, .reportedElseEstimate, .failure(failure), status: failure.httpStatus))
    case .relaying(let status):
      return .end(end(.shutdown, charge(status), .cut, status: status))
    case .draining(let status, _):
      return .end(end(.shutdown, charge(status), .nothing, status: 0))
    case .ended:
      return .ignore
    }
  }

  /// The gateway ends the call for a reason of its own, wherever it stands: its app was isolated,
  /// or its answer went beyond its bound.
  mutating func stopped(as ending: CallEnding, _ denial: Denial) -> TimeoutAction {
    switch phase {
    case .opened, .holding, .fetching, .admitting:
      phase = .ended
      return .refuse(denial)
    case .connecting:
      return .end(end(ending, .nothing, .refusal(denial), status: denial.httpStatus))
    case .awaiting:
      return .end(end(ending, .received, .refusal(denial), status: denial.httpStatus))
    case .relaying(let status):
      return .end(end(ending, chargeSoFar(status), .lastEvent(denial), status: status))
    case .draining(let status, _):
      return .end(end(ending, chargeSoFar(status), .nothing, status: 0))
    case .ended:
      return .ignore
    }
  }

  private func chargeSoFar(_ status: Int) -> Charge {
    status >= 400 ? charge(status) : .received
  }
}
