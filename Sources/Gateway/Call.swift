// The life of one call, as a state machine that does no I/O and reads no clock.
//
// A handler tells it what happened and obeys the one action it gets back; the shape of each action
// enum is what makes a wrong move impossible to express. Every call that was admitted leaves by
// `.end`, once, and `.end` says what the call costs: so no path can forget to settle.

import Metering

/// A call from the end of its head to its settlement.
struct Call: Equatable {
  enum Phase: Equatable {
    /// The head has been read and nothing decided. → holding, admitting, ended.
    case opened
    /// The key has passed and the body is gathered. → fetching, admitting, ended.
    case holding
    /// The body names a file that its cost depends on, which is being read. → admitting, ended.
    case fetching
    /// The body is whole and admission is asked. → connecting, ended.
    case admitting
    /// Reserved; the upstream has not got a byte. → awaiting, ended.
    case connecting
    /// The upstream has the request, and has said nothing. → relaying, connecting (once), draining,
    /// ended.
    case awaiting(isPooled: Bool)
    /// The caller has the answer's head. → draining, ended.
    case relaying(status: Int)
    /// The caller is gone; the upstream is read on for the usage. Status 0: no head yet. → ended.
    case draining(status: Int, bytesLeft: Int)
    /// Refused, or settled. The only valid event is a late one, and it does nothing.
    case ended
  }

  /// What the caller still gets.
  enum Farewell: Equatable {
    /// The answer's last bytes.
    case lastBytes
    /// An answer of ours that says what went wrong.
    case failure(UpstreamFailure)
    /// An answer of ours that says what stopped the call.
    case refusal(Denial)
    /// The stream's last event, which says what stopped it.
    case lastEvent(Denial)
    /// Its connection is cut, so that it cannot take half an answer for a whole one.
    case cut
    /// Nothing: it is gone.
    case nothing
  }

  /// The end of an admitted call.
  struct Ending: Equatable {
    var ending: CallEnding
    var charge: Charge
    var farewell: Farewell
    /// The status that the caller saw; 0 where it saw none.
    var status: Int
  }

  /// The most time from a request's sending to the loss of its connection for a second sending.
  ///
  /// A connection that had been left is refused within a round trip. One that is lost later was
  /// alive: the upstream may have worked on the request, and would bill it twice.
  static let retryMillisecondsMax: Int64 = 1_000

  /// Changed by the events alone; those of the clock stand in a file of their own.
  var phase = Phase.opened
  private var hasRetried = false
  /// Whether the caller's departure is worth reading the answer to its end.
  private let isMetered: Bool
  private let drainBytesMax: Int
  /// What it makes at the provider may go on without it.
  private var makesJob = false

  /// - Parameter isMetered: usage of this path is read.
  init(isMetered: Bool, drainBytesMax: Int) {
    self.isMetered = isMetered
    self.drainBytesMax = drainBytesMax
  }

  var isEnded: Bool { phase == .ended }

  /// A reservation is open.
  var isAdmitted: Bool {
    switch phase {
    case .opened, .holding, .fetching, .admitting, .ended: false
    case .connecting, .awaiting, .relaying, .draining: true
    }
  }

  var isDraining: Bool { if case .draining = phase { true } else { false } }

  // MARK: Before admission

  enum HeadAction: Equatable {
    case refuse(Denial)
    /// Gather the body; first tell a caller that waits for it to go on.
    case holdBody(sendsContinue: Bool)
  }

  /// The head was read and its key looked up. `denial` is the first rule that it broke.
  mutating func headChecked(denial: Denial?, expectsContinue: Bool) -> HeadAction {
    guard phase == .opened else { preconditionFailure("a head came in \(phase)") }
    if let denial {
      phase = .ended
      return .refuse(denial)
    }
    phase = .holding
    return .holdBody(sendsContinue: expectsContinue)
  }

  enum BodyAction: Equatable {
    case refuse(Denial)
    case askAdmission
    case fetchInput
  }

  /// The body is whole, or broke a rule.
  ///
  /// - Parameters:
  ///   - hasInput: it names a file that admission has to know.
  ///   - makesJob: see `Charge.init(status:makesJob:saysError:)`.
  mutating func bodyHeld(
    denial: Denial?, hasInput: Bool = false, makesJob: Bool = false
  ) -> BodyAction {
    self.makesJob = makesJob
    guard phase == .holding else { preconditionFailure("a body came in \(phase)") }
    if let denial {
      phase = .ended
      return .refuse(denial)
    }
    phase = hasInput ? .fetching : .admitting
    return hasInput ? .fetchInput : .askAdmission
  }

  enum InputAction: Equatable {
    case refuse(Denial)
    case askAdmission
    /// The call has ended meanwhile.
    case forget
  }

  /// The file was read, or broke a rule.
  mutating func inputFetched(denial: Denial?) -> InputAction {
    if phase == .ended { return .forget }
    guard phase == .fetching else { preconditionFailure("an input came in \(phase)") }
    if let denial {
      phase = .ended
      return .refuse(denial)
    }
    phase = .admitting
    return .askAdmission
  }

  enum AdmissionAction: Equatable {
    case refuse(Denial)
    case connect
  }

  /// Admission has answered; nil: a reservation is open.
  mutating func admissionAnswered(denial: Denial?) -> AdmissionAction {
    guard phase == .admitting else { preconditionFailure("admission answered in \(phase)") }
    if let denial {
      phase = .ended
      return .refuse(denial)
    }
    phase = .connecting
    return .connect
  }

  // MARK: With the upstream

  enum ConnectAction: Equatable {
    case send
    case end(Ending)
    /// The call has ended meanwhile: the connection is free for another.
    case giveBack
  }

  /// - Parameter isPooled: the connection has served before, so the upstream may have left it.
  mutating func connected(isPooled: Bool) -> ConnectAction {
    guard phase == .connecting else { return .giveBack }
    phase = .awaiting(isPooled: isPooled)
    return .send
  }

  /// No address of the upstream took a connection.
  mutating func connectFailed(_ failure: UpstreamFailure) -> ConnectAction {
    guard phase == .connecting else { return .giveBack }
    return .end(
      end(.upstreamUnreachable, .nothing, .failure(failure), status: failure.httpStatus))
  }

  enum AnswerAction: Equatable {
    /// Pass it on.
    case relay
    /// Read it for the usage alone.
    case absorb
    case end(Ending)
  }

  /// The final answer's head has come.
  mutating func answerBegan(status: Int) -> AnswerAction {
    switch phase {
    case .awaiting:
      phase = .relaying(status: status)
      return .relay
    case .draining(_, let bytesLeft):
      phase = .draining(status: status, bytesLeft: bytesLeft)
      return .absorb
    case .opened, .holding, .fetching, .admitting, .connecting, .relaying, .ended:
      preconditionFailure("an answer began in \(phase)")
    }
  }

  enum UpgradeAction: Equatable {
    /// The call goes on as a WebSocket's, which takes its reservation over.
    case handOver
    case end(Ending)
  }

  /// The upstream opened the WebSocket that was asked for.
  mutating func upgraded() -> UpgradeAction {
    switch phase {
    case .awaiting:
      phase = .ended
      return .handOver
    case .draining: return .end(end(.clientGone, .nothing, .nothing, status: 0))
    case .opened, .holding, .fetching, .admitting, .connecting, .relaying, .ended:
      preconditionFailure("a socket was opened in \(phase)")
    }
  }

  /// Some bytes of the answer's body have come.
  mutating func answerBytes(_ count: Int) -> AnswerAction {
    switch phase {
    case .relaying:
      return .relay
    case .draining(let status, let bytesLeft):
      guard count <= bytesLeft else {
        return .end(end(.clientGone, charge(status), .nothing, status: 0))
      }
      phase = .draining(status: status, bytesLeft: bytesLeft - count)
      return .absorb
    case .opened, .holding, .fetching, .admitting, .connecting, .awaiting, .ended:
      preconditionFailure("bytes of an answer came in \(phase)")
    }
  }

  /// The answer is whole.
  ///
  /// - Parameter saysError: it is an error's document in the provider's own form.
  mutating func answerEnded(saysError: Bool = false) -> Ending {
    switch phase {
    case .relaying(let status):
      return end(
        status >= 400 ? .upstreamError : .completed, charge(status, saysError: saysError),
        .lastBytes, status: status)
    case .draining(let status, _):
      return end(.clientGone, charge(status, saysError: saysError), .nothing, status: 0)
    case .opened, .holding, .fetching, .admitting, .connecting, .awaiting, .ended:
      preconditionFailure("an answer ended in \(phase)")
    }
  }

  enum LossAction: Equatable {
    case ignore
    /// Send the same request once more, on a fresh connection.
    case retry
    case end(Ending)
  }

  /// The upstream's connection closed, or what came over it cannot be read, in mid-call.
  ///
  /// - Parameters:
  ///   - hasAnswerBytes: at least one byte of an answer to this request had come. Without one, a
  ///     connection that had idled may have been closed before the upstream saw the request.
  ///   - sinceSentMilliseconds: from the request's sending to the loss; 0 or more.
  mutating func upstreamLost(
    _ failure: UpstreamFailure, hasAnswerBytes: Bool, sinceSentMilliseconds: Int64
  ) -> LossAction {
    switch phase {
    case .awaiting(let isPooled):
      let isPrompt = sinceSentMilliseconds <= Self.retryMillisecondsMax
      if isPooled, isPrompt, !hasAnswerBytes, !hasRetried {
        hasRetried = true
        phase = .connecting
        return .retry
      }
      // The upstream had the whole request, so it may have done the work and bill for it.
      return .end(
        end(
          .upstreamError, .reportedElseEstimate, .failure(failure), status: failure.httpStatus))
    case .relaying(let status):
      return .end(end(.upstreamError, charge(status), .cut, status: status))
    case .draining(let status, _):
      return .end(end(.clientGone, charge(status), .nothing, status: 0))
    case .opened, .holding, .fetching, .admitting, .connecting, .ended:
      return .ignore
    }
  }

  // MARK: From the caller

  enum DepartureAction: Equatable {
    /// Nothing was reserved: forget the call.
    case forget
    /// As `forget`; its input is read no further.
    case stopFetching
    /// Read the answer on, for its usage.
    case drain
    case end(Ending)
  }

  /// The caller's connection closed, or it stopped reading for too long.
  mutating func callerLeft() -> DepartureAction {
    switch phase {
    case .opened, .holding, .fetching, .admitting:
      defer { phase = .ended }
      return phase == .fetching ? .stopFetching : .forget
    case .ended, .draining:
      return .forget
    case .connecting:
      return .end(end(.clientGone, .nothing, .nothing, status: 0))
    case .awaiting:
      return depart(status: 0)
    case .relaying(let status):
      return depart(status: status)
    }
  }

  private mutating func depart(status: Int) -> DepartureAction {
    guard isMetered else {
      return .end(end(.clientGone, charge(status), .nothing, status: 0))
    }
    phase = .draining(status: status, bytesLeft: drainBytesMax)
    return .drain
  }

  mutating func end(
    _ ending: CallEnding, _ charge: Charge, _ farewell: Farewell, status: Int
  ) -> Ending {
    phase = .ended
    return Ending(ending: ending, charge: charge, farewell: farewell, status: status)
  }

  func charge(_ status: Int, saysError: Bool = false) -> Charge {
    Charge(status: status, makesJob: makesJob, saysError: saysError)
  }
}
