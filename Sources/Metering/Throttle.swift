// Rates of all apps and keys: asked before the budgets, taken from only by a call that passes both.
//
// In memory alone: after a restart every bucket is full and nothing is under way.

/// The rates as they stand. Pure: it is handed the time.
struct Throttle: Sendable {
  /// One holder's.
  private struct Meter: Sendable {
    let limits: RateLimits
    var calls: TokenBucket?
    var tokens: TokenBucket?
    var open: Int64 = 0

    init(_ limits: RateLimits, at now: Timestamp) {
      self.limits = limits
      calls = limits.callsPerMinute.map { TokenBucket(perMinute: $0, at: now) }
      tokens = limits.tokensPerMinute.map { TokenBucket(perMinute: $0, at: now) }
    }
  }

  private struct KeyID: Hashable, Sendable {
    var app: Int
    var key: Int64
  }

  /// What an open call has taken. It ends with its call; should a call's end ever be lost, its slot
  /// is free again after `leaseMilliseconds`.
  private struct Lease: Sendable {
    /// Nil: the place is free.
    var call: CallID?
    var app: Int
    /// Of `keys`; -1: its key has no rates.
    var key: Int
    var tokens: Int64
    var since: Timestamp
  }

  /// Longer than any call is under way.
  static let leaseMilliseconds: Int64 = 86_400_000

  private let isLimited: [Bool]
  private let limitsPerKey: [RateLimits]
  /// By app.
  private var apps: [Meter]
  private var keys: [Meter] = []
  private var placeOfKey: [KeyID: Int] = [:]
  /// A reservation knows the place of its own.
  private var leases: [Lease] = []
  private var freePlaces: [Int] = []

  init(_ policies: [AppPolicy]) {
    isLimited = policies.map(\.isThrottled)
    limitsPerKey = policies.map(\.ratesPerKey)
    apps = policies.map { Meter($0.rates, at: Timestamp(milliseconds: .min / 2)) }
  }

  @inline(__always)
  func holds(_ app: Int) -> Bool { isLimited[app] }

  /// The first rate that a call does not fit into; nil: it fits into all. Nothing is taken.
  mutating func refusal(of request: AdmissionRequest, at now: Timestamp) -> RateRefusal? {
    guard request.calls > 0 else { return nil }
    let tokens = request.rateTokens
    if let refusal = Self.refusal(&apps[request.app], false, tokens, at: now) {
      guard refusal.unit == .concurrentCalls, reclaim(at: now) else { return refusal }
      return self.refusal(of: request, at: now)
    }
    guard let place = place(of: request, at: now),
      let refusal = Self.refusal(&keys[place], true, tokens, at: now)
    else { return nil }
    guard refusal.unit == .concurrentCalls, reclaim(at: now) else { return refusal }
    return self.refusal(of: request, at: now)
  }

  private static func refusal(
    _ meter: inout Meter, _ isOfKey: Bool, _ tokens: Int64, at now: Timestamp
  ) -> RateRefusal? {
    func refusal(_ unit: RateRefusal.Unit, _ bucket: TokenBucket, _ asked: Int64) -> RateRefusal {
      RateRefusal(
        unit: unit, isOfKey: isOfKey, limit: bucket.perMinute, left: bucket.left, asked: asked,
        waitMilliseconds: bucket.millisecondsUntil(asked))
    }
    if let most = meter.limits.concurrentCalls, meter.open >= most {
      return RateRefusal(
        unit: .concurrentCalls, isOfKey: isOfKey, limit: most, left: 0, asked: 1,
        waitMilliseconds: 1_000)
    }
    meter.calls?.fill(at: now)
    if let calls = meter.calls, !calls.covers(1) { return refusal(.calls, calls, 1) }
    meter.tokens?.fill(at: now)
    if let bucket = meter.tokens, !bucket.covers(tokens) {
      return refusal(.tokens, bucket, tokens)
    }
    return nil
  }

  /// A call has passed: it takes from all its rates.
  /// - Returns: the place of its lease; -1: it takes nothing.
  mutating func take(
    _ request: AdmissionRequest, for call: CallID, at now: Timestamp
  ) -> Int {
    guard request.calls > 0 else { return -1 }
    let lease = Lease(
      call: call, app: request.app, key: place(of: request, at: now) ?? -1,
      tokens: request.rateTokens, since: now)
    Self.take(&apps[lease.app], lease.tokens)
    if lease.key >= 0 { Self.take(&keys[lease.key], lease.tokens) }
    guard let place = freePlaces.popLast() else {
      leases.append(lease)
      return leases.count - 1
    }
    leases[place] = lease
    return place
  }

  private static func take(_ meter: inout Meter, _ tokens: Int64) {
    meter.open += 1
    meter.calls?.take(1)
    meter.tokens?.take(tokens)
  }

  /// A call has ended, or goes on without its caller.
  ///
  /// - Parameters:
  ///   - place: of its lease.
  ///   - used: the tokens that it used; nil: what it was thought to use stands.
  mutating func end(_ place: Int, of call: CallID, used: Int64?, at now: Timestamp) {
    // A place that was reclaimed may be another call's by now.
    guard place >= 0, leases[place].call == call else { return }
    let lease = leases[place]
    leases[place].call = nil
    freePlaces.append(place)
    Self.end(&apps[lease.app], lease, used, at: now)
    if lease.key >= 0 { Self.end(&keys[lease.key], lease, used, at: now) }
  }

  private static func end(
    _ meter: inout Meter, _ lease: Lease, _ used: Int64?, at now: Timestamp
  ) {
    meter.open -= 1
    guard let used, meter.tokens != nil else { return }
    // First: what is above the brim then is lost, whatever is taken now.
    meter.tokens?.fill(at: now)
    if used <= lease.tokens {
      meter.tokens?.giveBack(lease.tokens - used)
    } else {
      meter.tokens?.take(used - lease.tokens)
    }
  }

  /// Frees the slots of calls whose end was lost. False: there is none.
  private mutating func reclaim(at now: Timestamp) -> Bool {
    var isAnyLost = false
    for (place, lease) in leases.enumerated() {
      guard let call = lease.call,
        lease.since.adding(milliseconds: Self.leaseMilliseconds) <= now
      else { continue }
      end(place, of: call, used: nil, at: now)
      isAnyLost = true
    }
    return isAnyLost
  }

  private mutating func place(of request: AdmissionRequest, at now: Timestamp) -> Int? {
    guard !limitsPerKey[request.app].isEmpty else { return nil }
    let id = KeyID(app: request.app, key: request.key)
    if let place = placeOfKey[id] { return place }
    placeOfKey[id] = keys.count
    keys.append(Meter(limitsPerKey[request.app], at: now))
    return keys.count - 1
  }

  /// What is left of every rate of an app and one of its keys.
  func standing(app: Int, key: Int64, at now: Timestamp) -> [RateStanding] {
    let place = placeOfKey[KeyID(app: app, key: key)]
    return Self.standing(apps[app], false, at: now)
      + (place.map { Self.standing(keys[$0], true, at: now) } ?? [])
  }

  private static func standing(
    _ meter: Meter, _ isOfKey: Bool, at now: Timestamp
  ) -> [RateStanding] {
    var all: [RateStanding] = []
    for (unit, bucket) in [(RateRefusal.Unit.calls, meter.calls), (.tokens, meter.tokens)] {
      guard var bucket else { continue }
      bucket.fill(at: now)
      all.append(
        RateStanding(
          unit: unit, isOfKey: isOfKey, limit: bucket.perMinute, left: bucket.left,
          fullInSeconds: (bucket.millisecondsUntilFull + 999) / 1_000))
    }
    if let most = meter.limits.concurrentCalls {
      all.append(
        RateStanding(
          unit: .concurrentCalls, isOfKey: isOfKey, limit: most, left: max(most - meter.open, 0),
          fullInSeconds: 0))
    }
    return all
  }
}

extension Admission {
  /// What is left of every rate of an app and one of its keys.
  public func rateStanding(app: Int, key: Int64, at now: Timestamp) -> [RateStanding] {
    throttle.standing(app: app, key: key, at: now)
  }
}

extension AdmissionRequest {
  /// A batch is worked off by the provider at its own pace.
  fileprivate var rateTokens: Int64 { isBatch ? 0 : tokens ?? 0 }
}
