// A call that a budget has no room for, tried as its app's substitute: another model, or a shorter
// answer. It is a call like any other, with a price, a bound and budgets of its own.

import Metering
import NIOCore
import Providers
import Wire

/// Where a call stands between what was asked for and its substitute.
enum Degrading {
  /// What was asked for, while the substitute is in its place.
  struct Asked {
    var plan: RequestPlan
    var body: ByteBuffer
    var estimate: CallEstimate
  }

  case untried
  case tried(Asked)
  /// There is no substitute, or it does not fit either.
  case over

  var isTried: Bool { if case .tried = self { true } else { false } }
}

extension Exchange {
  func mayDegrade(app: Int) -> Bool {
    guard case .untried = degrading else { return false }
    return core.apps[app].policy.substitute != nil
  }

  /// Puts the substitute in the call's place or, where that did not fit, the call back.
  func degrade(app: Int) {
    switch degrading {
    case .untried:
      let asked = Degrading.Asked(plan: plan, body: body, estimate: estimate)
      degrading = takeSubstitute(app: app) ? .tried(asked) : .over
    case .tried(let asked):
      degrading = .over
      (plan, body, estimate) = (asked.plan, asked.body, asked.estimate)
    case .over: preconditionFailure("a call was degraded twice")
    }
  }

  /// False: the call has none, and is as it was.
  private func takeSubstitute(app: Int) -> Bool {
    guard var substitute = core.apps[app].policy.substitute, let operation = plan.operation,
      let request = try? CallEstimate.peek(operation, plan, body)
    else { return false }
    let prices = core.upstreams[plan.upstream].prices
    // A model refuses a bound above its own.
    if let model = substitute.model,
      let most = prices.price(model: model, at: startedAt)?.outputTokensMax
    {
      substitute.outputTokensMax = min(substitute.outputTokensMax ?? most, most)
    }
    let found = plan.headBytes.withUnsafeReadableBytes { head in
      operation.substitution(
        of: request, by: substitute, path: UnsafeRawBufferPointer(rebasing: head[plan.pathAndQuery])
      )
    }
    guard let found, let plan = plan.with(path: found.path, limits: core.limits) else {
      return false
    }
    var policy = core.estimatePolicies[app]
    if let most = substitute.outputTokensMax {
      policy.outputTokensDefault = min(policy.outputTokensDefault ?? most, most)
    }
    var body = body
    if !found.body.isEmpty {
      body = ByteBuffer(bytes: found.body.applied(to: Array(buffer: body)))
    }
    var estimate = CallEstimate()
    let unread = estimate.read(
      plan: plan, body: body, policy: policy, upstream: core.upstreams[plan.upstream],
      at: startedAt)
    if found.lowersBounds { estimate.loweredBound = substitute.outputTokensMax }
    let isChanged =
      found.path != nil || !found.body.isEmpty
      || estimate.outputBound ?? .max < self.estimate.outputBound ?? .max
    guard unread == nil, isChanged, case .atMost = estimate.bound else { return false }
    (self.plan, self.body, self.estimate) = (plan, body, estimate)
    return true
  }

  /// What was asked for and what was called; empty where that is the same.
  var degradedLine: String {
    guard case .tried(let asked) = degrading else { return "" }
    let models = [asked.estimate.model, estimate.model].map(Self.printed)
    let what = models[0] == models[1] ? "shorter answer" : "\(models[0]) -> \(models[1])"
    return "x-leeway-degraded: \(what)\r\n"
  }

  /// A caller's name for a model, as it can stand in a head.
  private static func printed(_ name: String) -> String {
    String(decoding: name.utf8.map { (0x21...0x7E).contains($0) ? $0 : 0x3F }, as: UTF8.self)
  }
}

extension RequestPlan {
  /// The same request with another path: its head is read anew, since all that follows has moved.
  ///
  /// - Parameter change: from the path's first byte on; nil: none.
  /// - Returns: nil where that is no request of the same kind.
  func with(path change: BodySplice?, limits: HeadLimits) -> RequestPlan? {
    guard let change else { return self }
    let start = path.lowerBound
    let splice = change.moved(by: start)
    let bytes = [splice].applied(to: Array(buffer: headBytes))
    var progress = HeadProgress()
    let read = bytes.withUnsafeBytes {
      try? RequestHead.parse($0, limits: limits, progress: &progress)
    }
    guard let read = read ?? nil else { return nil }
    let plan = RequestPlan(
      headBytes: ByteBuffer(bytes: bytes), head: read,
      path: start..<path.upperBound + splice.growth)
    plan.upstream = upstream
    plan.hasUpstream = hasUpstream
    plan.dialect = dialect
    plan.app = app
    plan.key = key
    plan.environment = environment
    plan.user = user
    plan.tags = tags
    plan.keyParameter = keyParameter.map {
      $0.lowerBound + splice.growth..<$0.upperBound + splice.growth
    }
    plan.endpoint = endpoint
    return plan
  }
}
