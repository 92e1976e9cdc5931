// The life of a call as dialogue: an event in, an action out. No socket, no clock.

import Metering
import Testing

@testable import Gateway

extension Call {
  /// The upstream's connection closes in the moment that follows the sending.
  fileprivate mutating func lostAtOnce(hasAnswerBytes: Bool) -> LossAction {
    upstreamLost(.closedEarly, hasAnswerBytes: hasAnswerBytes, sinceSentMilliseconds: 5)
  }
}

@Suite struct CallTests {
  /// A call that has come as far as its reservation.
  static func admitted(isMetered: Bool = true, drainBytesMax: Int = 100) -> Call {
    var call = Call(isMetered: isMetered, drainBytesMax: drainBytesMax)
    _ = call.headChecked(denial: nil, expectsContinue: false)
    _ = call.bodyHeld(denial: nil)
    _ = call.admissionAnswered(denial: nil)
    return call
  }

  static func relaying(status: Int = 200, isMetered: Bool = true) -> Call {
    var call = admitted(isMetered: isMetered)
    _ = call.connected(isPooled: false)
    _ = call.answerBegan(status: status)
    return call
  }

  @Test func aPlainCallWalksToItsEnd() {
    var call = Call(isMetered: true, drainBytesMax: 0)
    #expect(
      call.headChecked(denial: nil, expectsContinue: false) == .holdBody(sendsContinue: false))
    #expect(call.bodyHeld(denial: nil) == .askAdmission)
    #expect(!call.isAdmitted)
    #expect(call.admissionAnswered(denial: nil) == .connect)
    #expect(call.isAdmitted)
    #expect(call.connected(isPooled: false) == .send)
    #expect(call.answerBegan(status: 200) == .relay)
    #expect(call.answerBytes(880) == .relay)
    #expect(
      call.answerEnded()
        == Call.Ending(
          ending: .completed, charge: .reportedElseEstimate, farewell: .lastBytes, status: 200))
    #expect(call.isEnded)
  }

  @Test func aCallerThatWaitsIsToldToGoOnOnlyWhenItsKeyHasPassed() {
    var good = Call(isMetered: true, drainBytesMax: 0)
    #expect(
      good.headChecked(denial: nil, expectsContinue: true) == .holdBody(sendsContinue: true))
    var bad = Call(isMetered: true, drainBytesMax: 0)
    #expect(
      bad.headChecked(denial: .keyUnknown, expectsContinue: true) == .refuse(.keyUnknown))
    #expect(bad.isEnded)
  }

  @Test(arguments: [400, 401, 404, 429, 500, 503])
  func anErrorAnswerWithoutUsageCostsNothing(status: Int) {
    var call = Self.relaying(status: status)
    let end = call.answerEnded()
    #expect(end.charge == .reportedElseNothing)
    #expect(end.ending == .upstreamError)
    #expect(end.farewell == .lastBytes)
  }

  /// Whoever makes a job has to be told plainly that there is none.
  @Test(arguments: [
    (400, false), (404, false), (409, false), (425, false), (429, false), (408, true), (499, true),
    (500, true), (502, true), (504, true), (520, true), (524, true),
  ])
  func anErrorAnswerMayLeaveAJob(status: Int, isCharged: Bool) {
    for saysError in [true, false] {
      let charge = Call.Charge(status: status, makesJob: true, saysError: saysError)
      #expect(charge == (isCharged ? .reportedElseEstimate : .reportedElseNothing))
    }
  }

  @Test(arguments: [501, 503, 529])
  func aBusyProviderMadeNothingIfItSaysSoItself(status: Int) {
    for saysError in [true, false] {
      var call = Call(isMetered: true, drainBytesMax: 0)
      _ = call.headChecked(denial: nil, expectsContinue: false)
      _ = call.bodyHeld(denial: nil, makesJob: true)
      _ = call.admissionAnswered(denial: nil)
      _ = call.connected(isPooled: false)
      _ = call.answerBegan(status: status)
      let end = call.answerEnded(saysError: saysError)
      #expect(end.charge == (saysError ? .reportedElseNothing : .reportedElseEstimate))
      #expect(end.ending == .upstreamError)
    }
  }

  @Test func anUpstreamThatTakesNoConnectionDidNoWork() {
    var call = Self.admitted()
    #expect(
      call.connectFailed(.connectRefused)
        == .end(
          Call.Ending(
            ending: .upstreamUnreachable, charge: .nothing, farewell: .failure(.connectRefused),
            status: 502)))
  }

  @Test func aStalePooledConnectionIsRetriedOnceAndNoMore() {
    var call = Self.admitted()
    #expect(call.connected(isPooled: true) == .send)
    #expect(call.lostAtOnce(hasAnswerBytes: false) == .retry)
    #expect(call.connected(isPooled: true) == .send)
    guard case .end(let end) = call.lostAtOnce(hasAnswerBytes: false) else {
      Issue.record("a second retry")
      return
    }
    #expect(end.charge == .reportedElseEstimate)
  }

  @Test(arguments: [(0, true), (1_000, true), (1_001, false), (3_000, false)])
  func aLossIsRetriedOnlyWhileTheUpstreamCannotHaveWorked(
    milliseconds: Int64, isRetried: Bool
  ) {
    var call = Self.admitted()
    _ = call.connected(isPooled: true)
    let action = call.upstreamLost(
      .closedEarly, hasAnswerBytes: false, sinceSentMilliseconds: milliseconds)
    let ending = Call.Ending(
      ending: .upstreamError, charge: .reportedElseEstimate, farewell: .failure(.closedEarly),
      status: 502)
    #expect(action == (isRetried ? .retry : .end(ending)))
    #expect(call.isEnded == !isRetried)
  }

  @Test func aPooledConnectionThatHadSpokenIsNotRetried() {
    var call = Self.admitted()
    _ = call.connected(isPooled: true)
    guard case .end(let end) = call.lostAtOnce(hasAnswerBytes: true) else {
      Issue.record("retried after a byte of an answer")
      return
    }
    #expect(end.farewell == .failure(.closedEarly))
  }

  @Test func aFreshConnectionThatDiesIsChargedSinceTheWorkMayBeDone() {
    var call = Self.admitted()
    _ = call.connected(isPooled: false)
    #expect(
      call.lostAtOnce(hasAnswerBytes: false)
        == .end(
          Call.Ending(
            ending: .upstreamError, charge: .reportedElseEstimate,
            farewell: .failure(.closedEarly), status: 502)))
  }

  @Test func anAnswerCutInTheMiddleCutsTheCaller() {
    var call = Self.relaying()
    #expect(
      call.lostAtOnce(hasAnswerBytes: true)
        == .end(
          Call.Ending(
            ending: .upstreamError, charge: .reportedElseEstimate, farewell: .cut, status: 200)))
  }

  private static func fetching() -> Call {
    var call = Call(isMetered: true, drainBytesMax: 10)
    _ = call.headChecked(denial: nil, expectsContinue: false)
    #expect(call.bodyHeld(denial: nil, hasInput: true) == .fetchInput)
    #expect(!call.isAdmitted)
    return call
  }

  @Test func aCallsInputIsFetchedBeforeItIsAdmitted() {
    var call = Self.fetching()
    #expect(call.inputFetched(denial: nil) == .askAdmission)
    #expect(call.admissionAnswered(denial: nil) == .connect)
    var refused = Self.fetching()
    #expect(refused.inputFetched(denial: .inputBusy) == .refuse(.inputBusy))
    #expect(refused.isEnded)
  }

  @Test func anInputThatComesTooLateIsForgotten() {
    var left = Self.fetching()
    #expect(left.callerLeft() == .stopFetching)
    var late = Self.fetching()
    guard case .refuse(.inputUnavailable) = late.timedOut() else {
      Issue.record("not refused")
      return
    }
    var stopped = Self.fetching()
    #expect(stopped.stopped() == .refuse(.shuttingDown))
    for var call in [left, late, stopped] {
      #expect(call.inputFetched(denial: nil) == .forget && call.isEnded)
      #expect(call.callerLeft() == .forget && call.timedOut() == .ignore)
    }
  }

  @Test func aCallerThatLeavesBeforeItsBodyIsForgotten() {
    var call = Call(isMetered: true, drainBytesMax: 10)
    _ = call.headChecked(denial: nil, expectsContinue: false)
    #expect(call.callerLeft() == .forget)
    #expect(call.isEnded)
  }

  @Test func aCallerThatLeavesWhileConnectingCostsNothingAndTheConnectionIsKept() {
    var call = Self.admitted()
    guard case .end(let end) = call.callerLeft() else {
      Issue.record("an admitted call must end by a settlement")
      return
    }
    #expect(end.charge == .nothing)
    #expect(call.connected(isPooled: false) == .giveBack)
    #expect(call.connectFailed(.connectRefused) == .giveBack)
  }

  @Test func aCallerThatLeavesAStreamIsDrainedForItsUsage() {
    var call = Self.relaying()
    #expect(call.callerLeft() == .drain)
    #expect(call.isDraining)
    #expect(call.answerBytes(60) == .absorb)
    #expect(call.answerBytes(40) == .absorb)
    #expect(
      call.answerEnded()
        == Call.Ending(
          ending: .clientGone, charge: .reportedElseEstimate, farewell: .nothing, status: 0))
  }

  @Test func drainingHasABoundOfBytes() {
    var call = Self.relaying()
    _ = call.callerLeft()
    _ = call.answerBytes(99)
    #expect(
      call.answerBytes(2)
        == .end(
          Call.Ending(
            ending: .clientGone, charge: .reportedElseEstimate, farewell: .nothing, status: 0)))
  }

  @Test func drainingHasABoundOfTime() {
    var call = Self.relaying()
    _ = call.callerLeft()
    guard case .end(let end) = call.timedOut() else {
      Issue.record("draining must end")
      return
    }
    #expect(end.ending == .clientGone)
    #expect(end.charge == .reportedElseEstimate)
  }

  @Test func anErrorThatComesWhileDrainingCostsNothing() {
    var call = Self.admitted()
    _ = call.connected(isPooled: false)
    #expect(call.callerLeft() == .drain)
    #expect(call.answerBegan(status: 503) == .absorb)
    #expect(call.answerEnded().charge == .reportedElseNothing)
  }

  @Test func anUnmeteredAnswerIsNotDrained() {
    var call = Self.relaying(isMetered: false)
    guard case .end(let end) = call.callerLeft() else {
      Issue.record("there is nothing to drain for")
      return
    }
    #expect(end.farewell == .nothing)
  }

  @Test func timeOutsByPhase() {
    var holding = Call(isMetered: true, drainBytesMax: 0)
    _ = holding.headChecked(denial: nil, expectsContinue: false)
    guard case .refuse = holding.timedOut() else {
      Issue.record("a slow body is refused")
      return
    }
    var connecting = Self.admitted()
    #expect(
      connecting.timedOut()
        == .end(
          Call.Ending(
            ending: .timeout, charge: .nothing, farewell: .failure(.connectTimeout), status: 504)))
    var awaiting = Self.admitted()
    _ = awaiting.connected(isPooled: false)
    #expect(
      awaiting.timedOut()
        == .end(
          Call.Ending(
            ending: .timeout, charge: .reportedElseEstimate, farewell: .failure(.answerTimeout),
            status: 504)))
    var relaying = Self.relaying()
    #expect(
      relaying.timedOut()
        == .end(
          Call.Ending(
            ending: .timeout, charge: .reportedElseEstimate, farewell: .cut, status: 200)))
    #expect(relaying.timedOut() == .ignore)
  }

  @Test func shutdownSettlesEveryPhase() {
    var holding = Call(isMetered: true, drainBytesMax: 0)
    _ = holding.headChecked(denial: nil, expectsContinue: false)
    #expect(holding.stopped() == .refuse(.shuttingDown))
    for call in [Self.admitted(), Self.relaying()] {
      var call = call
      guard case .end(let end) = call.stopped() else {
        Issue.record("an open reservation outlived shutdown")
        return
      }
      #expect(end.ending == .shutdown)
    }
  }

  @Test func anIsolatedCallEndsWhereverItStands() {
    let denial = Denial.appIsolated(order: 7)
    var holding = Call(isMetered: true, drainBytesMax: 0)
    _ = holding.headChecked(denial: nil, expectsContinue: false)
    #expect(holding.stopped(as: .isolated, denial) == .refuse(denial))
    var awaiting = Self.admitted()
    _ = awaiting.connected(isPooled: false)
    var draining = Self.relaying()
    _ = draining.callerLeft()
    for (call, charge, farewell, status) in [
      (Self.admitted(), .nothing, .refusal(denial), 403),
      (awaiting, .received, .refusal(denial), 403),
      (Self.relaying(), .received, .lastEvent(denial), 200),
      (draining, .received, .nothing, 0),
    ] as [(Call, Call.Charge, Call.Farewell, Int)] {
      var call = call
      #expect(
        call.stopped(as: .isolated, denial)
          == .end(
            Call.Ending(ending: .isolated, charge: charge, farewell: farewell, status: status)))
      #expect(call.stopped(as: .isolated, denial) == .ignore)
    }
  }

  /// Whatever comes after the end, in any order, the call stays ended: nothing is settled twice.
  @Test func lateEventsDoNothing() {
    var call = Self.relaying()
    _ = call.answerEnded()
    #expect(call.lostAtOnce(hasAnswerBytes: true) == .ignore)
    #expect(call.callerLeft() == .forget)
    #expect(call.timedOut() == .ignore)
    #expect(call.stopped() == .ignore)
    #expect(call.connected(isPooled: true) == .giveBack)
  }
}
