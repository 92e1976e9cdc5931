// What a call cost, and what becomes of its bytes: the end of every admitted call.

import Contracts
import Metering
import NIOCore
import Providers

extension Exchange {
  /// Takes the reservation out and settles or releases it; a second call finds none, and is
  /// counted.
  func settle(_ ending: Call.Ending) {
    guard var reservation = reservation.take(), let app = plan.app else {
      core.metrics.record(.duplicateSettlements)
      return
    }
    if plan.operation != nil, ending.charge == .reportedElseEstimate,
      let coding = pipe?.unreadableCoding
    {
      core.metrics.record(.answersUnreadable)
      core.codings.note(app: core.apps[app].policy.app, coding: coding)
    }
    var reading = pipe?.reading ?? CallReading()
    // So that whoever charges it anew finds its price.
    if let name = estimate.pricedAs, ["", estimate.model].contains(reading.responseModel) {
      reading.responseModel = name
    }
    var ending = ending
    if ending.charge == .received, !tellsWhatCame { ending.charge = .reportedElseEstimate }
    noteFiles(of: reading, app: app)
    if let (job, state) = followedJob(ending, reading) {
      let call = reservation.call
      let files = reading.files + (estimate.batchInput.map { [$0.fileID] } ?? [])
      let left = core.desk.follow(
        reservation, job: job, isUnderWay: state.isUnderWay, files: files, at: core.clock())
      guard let left else {
        core.follower?.take(call, job, of: core.apps[app].policy.app, state: state)
        return
      }
      reservation = left
      ending.charge = .nothing
    }
    let settlement = Settlement(
      ending.charge, reading: reading, estimate: estimate, reserved: most,
      endpoint: plan.endpoint, prices: core.upstreams[plan.upstream].prices, at: startedAt,
      isWhole: ending.ending == .completed && (200..<300).contains(ending.status))
    let now = NIODeadline.now()
    let outcome = settlement.outcome(
      of: reading, status: UInt16(clamping: ending.status), ending: ending.ending,
      durationMilliseconds: (now - started).nanoseconds / 1_000_000,
      firstByteMilliseconds: firstByteMilliseconds)
    core.desk.settle(
      reservation, upstream: plan.upstream,
      bill: AdmissionDesk.Bill(
        app: app, charge: settlement.charge, reserved: reserved, outcome: outcome),
      isReleased: settlement.isReleased, at: core.clock())
    offerSample(ending, app: app, latencyMilliseconds: outcome.durationMilliseconds)
  }

  /// The most that it may cost: what is held for it, or more where its app's holds are calibrated.
  var most: Money {
    guard reserved > .zero, case .atMost(let most) = estimate.bound else { return reserved }
    return most
  }

  /// What came of the answer bounds what it cost. Not where it is no stream, so that all of it may
  /// be under way, nor where it cannot be read, nor of what goes on at the provider without its
  /// caller.
  private var tellsWhatCame: Bool {
    guard estimate.jobKind == nil, let pipe else { return false }
    return pipe.status == 0 ? estimate.isStream : pipe.isStream && pipe.unreadableCoding == nil
  }

  /// From the request's last byte to the answer's first; -1 where none came.
  private var firstByteMilliseconds: Int64 {
    guard let requestSentAt, let firstByteAt else { return -1 }
    return max((firstByteAt - requestSentAt).nanoseconds / 1_000_000, 0)
  }

  private func offerSample(_ ending: Call.Ending, app: Int, latencyMilliseconds: Int64) {
    // What the gateway cut short says nothing of the model.
    guard ending.ending != .isolated, ending.ending != .overBound,
      let operation = plan.operation, operation.isSampled, let callID
    else { return }
    let isError = ending.ending != .completed && ending.ending != .clientGone
    guard sampleRate > 0 || isError && core.apps[app].samplesErrors else { return }
    if pipe?.sample.isTruncated == true || body.readableBytes > core.configuration.sampleBytesMax {
      core.metrics.record(.samplesDropped)
      return
    }
    core.samples.offer(
      SampleDraft(
        app: core.apps[app].policy.app, call: callID, operation: operation, model: estimate.model,
        time: startedAt,
        status: ending.status, request: body, answer: pipe?.sample.bytes ?? ByteBuffer(),
        isStream: pipe?.isStream ?? estimate.isStream, latencyMilliseconds: latencyMilliseconds,
        // An error that is stored whatever the rate was certain to be.
        probability: isError && core.apps[app].samplesErrors ? 1 : sampleRate,
        redactor: Redactor(hidesPersonalData: core.apps[app].hidesPersonalData)))
  }
}
