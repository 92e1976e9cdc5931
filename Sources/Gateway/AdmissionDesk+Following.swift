// Calls whose work goes on at the provider: handed over when they are answered, ended when it ends.

import Metering
import Providers
import Telemetry

extension AdmissionDesk {
  /// Ends a followed call: charges it or releases it, as its job ended. One that has ended before
  /// is counted and changes nothing.
  func end(followed call: CallID, _ job: FollowedJob, _ end: JobEnd, core: GatewayCore) {
    let upstream = core.upstreams.firstIndex { $0.name == job.upstream }
    let prices = upstream.map { core.upstreams[$0].prices } ?? PriceBook()
    let reserved = held(for: call) ?? .zero
    var settlement = Settlement(
      end.charge, reading: end.reading,
      estimate: CallEstimate(of: job, reserved: reserved, prices: prices), reserved: reserved,
      endpoint: .metered(job.kind.operation), prices: prices, at: job.startedAt)
    if let counted = end.counted { settlement.charge = counted.charge(held: reserved) }
    let now = core.clock()
    let outcome = settlement.outcome(
      of: end.reading, status: job.status, ending: end.ending,
      durationMilliseconds: max(now.milliseconds - job.startedAt.milliseconds, 0))
    settle(
      followed: call, upstream: upstream,
      bill: Bill(app: 0, charge: settlement.charge, reserved: reserved, outcome: outcome),
      isReleased: settlement.isReleased, at: now)
  }
}

extension CallEstimate {
  /// The estimate of a call as far as its job remembers it.
  init(of job: FollowedJob, reserved: Money, prices: PriceBook) {
    model = job.model
    serviceTier = job.serviceTier
    inputTokens = job.inputTokens
    outputTokens = job.outputTokens
    price = prices.price(model: job.model, at: job.startedAt)
    // Nothing was held where nothing could be bounded, or where it was bounded by nothing.
    bound = reserved > .zero ? .atMost(reserved) : .none(.outputUnbounded(field: ""))
  }
}

extension Exchange {
  /// The job that goes on at the provider though this call is answered; nil: none does, or none
  /// that can be followed.
  func followedJob(
    _ ending: Call.Ending, _ reading: CallReading
  ) -> (job: FollowedJob, state: JobProgress.State)? {
    guard let kind = estimate.jobKind, ending.charge == .reportedElseEstimate,
      reading.usage == nil, let id = reading.jobID, BatchInput.isPlain(id),
      core.upstreams[plan.upstream].canBeAsked
    else { return nil }
    let state = reading.state(of: kind)
    // A batch may have ended at once: what it cost stands in its results all the same.
    let isFollowed = state.isUnderWay || kind.hasResults && state != .unknown
    guard isFollowed, let path = followedPath else { return nil }
    let job = FollowedJob(
      kind: kind, upstream: core.upstreams[plan.upstream].name, path: path, id: id,
      // Of several, an answer that names none may be any's.
      model: estimate.otherModels.isEmpty ? estimate.model : "", serviceTier: estimate.serviceTier,
      inputTokens: estimate.inputTokens,
      outputTokens: estimate.outputTokens, status: UInt16(clamping: ending.status),
      startedAt: startedAt, windowMilliseconds: estimate.jobWindowMilliseconds)
    return (job, state)
  }

  /// The call's path, with the version that Azure wants to be named. Nil where it is too long for
  /// the journal.
  var followedPath: String? {
    plan.headBytes.withUnsafeReadableBytes { bytes in
      var path = String(decoding: bytes[plan.path], as: UTF8.self)
      let whole = UnsafeRawBufferPointer(rebasing: bytes[plan.pathAndQuery])
      if let version = Endpoint.apiVersion(of: whole) { path += "?api-version=\(version)" }
      return path.utf8.count <= Self.followedPathBytesMax ? path : nil
    }
  }

  private static let followedPathBytesMax = 1024
}
