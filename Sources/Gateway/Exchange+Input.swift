// A call whose cost depends on a file at the provider: the file is read before admission is asked.

import Metering
import NIOCore
import Providers

extension Exchange {
  /// Begins to read a batch's input file, with the upstream's own credential.
  func fetchInput(_ input: BatchInput, app: Int) {
    // Nothing is read for a call that no bound would save.
    let least: Int64 = input.endpoint == .free ? 0 : 1
    var request = AdmissionRequest(
      app: app, plan: plan, estimate: estimate, bound: .atMost(Money(nanodollars: least)),
      core: core)
    (request.tokens, request.calls) = (least, least)
    if let refusal = core.desk.refuseHopeless(request, at: startedAt, clock: core.clock()) {
      callID = refusal.call
      if case .refuse(let denial) = call.inputFetched(denial: refusal.denial) {
        caller?.answer(denial, of: self)
      }
      return
    }
    let upstream = core.upstreams[plan.upstream]
    guard upstream.canBeAsked, let path = followedPath else {
      let reason = "this gateway cannot read files of upstream '\(upstream.name)'."
      return inputFetched(.unread(.inputUnavailable(reason: reason)), app: app)
    }
    let file = BatchFile(
      input, upstream: upstream, at: startedAt, policy: core.apps[app].policy,
      lineBytesMax: core.configuration.bodyBytesMax)
    let seconds = core.configuration.batchInputSeconds
    let loop = context.loop
    let exchange = NIOLoopBound(self, eventLoop: loop)
    inputFetch = core.batchInputs.begin(app: app) { client in
      let outcome = await client.read(
        file, named: input.fileID, below: path, of: upstream, withinSeconds: seconds)
      loop.execute { exchange.value.inputFetched(outcome, app: app) }
    }
    guard inputFetch != nil else { return inputFetched(.unread(.inputBusy), app: app) }
    deadline = .now() + .seconds(seconds)
  }

  private func inputFetched(_ outcome: BatchInputOutcome, app: Int) {
    inputFetch = nil
    deadline = nil
    var denial: Denial?
    switch outcome {
    case .read(let batch): estimate.take(batch)
    case .refused(let refusal): denial = refusal
    case .unread(let reason):
      estimate.bound = .none(reason)
      // Nobody knows what models it calls.
      if core.estimatePolicies[app].limitsModels { denial = reason }
    }
    switch call.inputFetched(denial: denial) {
    case .refuse(let denial): refuse(denial)
    case .askAdmission: askAdmission(app: app)
    case .forget: break
    }
  }

  func stopFetching() {
    inputFetch?.cancel()
    inputFetch = nil
  }
}
