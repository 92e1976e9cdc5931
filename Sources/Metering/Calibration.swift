// Calibrated holds: a call holds what calls like it have cost, not the most that it can cost.
//
// What is learned is one number a call: its charge as a share of its strict bound, by app and
// model. The share is what a hold needs, whatever the price, and takes the input's bytes, the
// output's length and the tier in at once. The share that is held is an order statistic of the
// last calls: where the next call is like them (exchangeable), it costs more with a probability of
// at most 1 − quantile, whatever the distribution (Wilks 1941; split-conformal prediction, Vovk et
// al. 2005). Where it is not, a bound holds with certainty: all open calls together hold at most
// `overshootMax` less than they can cost.

/// How an app's calls are held.
public struct Calibration: Hashable, Sendable {
  /// In ten-thousandths: 9_900 is the 99th percentile.
  public var quantile: Int64
  /// The most that its open calls together hold less than they can cost. So what is settled in any
  /// budget passes its cap by at most so much, or the sum of the apps' that share it.
  public var overshootMax: Money

  /// - Parameter quantile: one of `quantiles`.
  public init(quantile: Int64, overshootMax: Money) {
    self.quantile = quantile
    self.overshootMax = overshootMax
  }

  /// Above, the quantile would need more history than is kept.
  public static let quantiles: ClosedRange<Int64> = 9_000...9_990

  /// The fewest calls that tell of the quantile: with n calls, the next is at most the k-th
  /// smallest with a probability of at least k ∕ (n + 1), and k ≤ n.
  public var historyMin: Int64 { 9_999 / (10_000 - quantile) }

  /// The most that open calls may be expected to cost beyond what they hold: each does with a
  /// probability of at most 1 − quantile, and then by what it holds less than its bound at most.
  public var expectedOvershootMax: Money {
    let share = Int128(overshootMax.nanodollars) * Int128(10_000 - quantile)
    return Money(nanodollars: Int64((share + 9_999) / 10_000))
  }
}

/// What the last calls of one app and model cost, as shares of their strict bounds.
///
/// A histogram of the shares, 32 bins an octave: a quantile is never below the true one, and at
/// most 1∕32 of it above.
struct ShareHistory: Sendable {
  /// One, as shares are counted.
  static let whole: Int64 = 65_536
  /// Calls before these are forgotten.
  static let callsMax = 1_024
  private static let binCount = 385

  private var bins: [UInt16] = []
  private var counts = [UInt16](repeating: 0, count: Self.binCount)
  private var oldest = 0
  /// At the quantile; `whole` before there is enough history.
  private(set) var held = Self.whole

  init() { bins.reserveCapacity(Self.callsMax) }

  /// - Parameters:
  ///   - charge: what a call cost, ≥ 0.
  ///   - most: its strict bound, > 0.
  mutating func note(charge: Money, of most: Money, quantile: Int64) {
    let share = Self.product(charge.nanodollars, Self.whole, over: most.nanodollars)
    let bin = Self.bin(of: min(share, Self.whole))
    if bins.count < Self.callsMax {
      bins.append(UInt16(bin))
    } else {
      counts[Int(bins[oldest])] -= 1
      bins[oldest] = UInt16(bin)
      oldest = (oldest + 1) % Self.callsMax
    }
    counts[bin] += 1
    held = quantileShare(quantile)
  }

  private func quantileShare(_ quantile: Int64) -> Int64 {
    let count = Int64(bins.count)
    let rank = ((count + 1) * quantile + 9_999) / 10_000
    guard rank <= count else { return Self.whole }
    var above = count - rank
    var bin = Self.binCount - 1
    while above >= Int64(counts[bin]) {
      above -= Int64(counts[bin])
      bin -= 1
    }
    return Self.upperEdge(of: bin)
  }

  /// Shares below 64 have a bin each; each octave above has 32.
  static func bin(of share: Int64) -> Int {
    guard share >= 64 else { return Int(share) }
    let octave = Int64.bitWidth - 1 - share.leadingZeroBitCount
    return (octave - 4) * 32 + Int(share >> (octave - 5)) - 32
  }

  static func upperEdge(of bin: Int) -> Int64 {
    guard bin >= 64 else { return Int64(bin) }
    let octave = bin / 32 + 4
    return min((Int64(33 + bin % 32) << (octave - 5)) - 1, whole)
  }

  /// Rounded up, held at the end of the range.
  static func product(_ left: Int64, _ right: Int64, over divisor: Int64) -> Int64 {
    let product = Int128(left) * Int128(right) + Int128(divisor - 1)
    return Int64(clamping: product / Int128(divisor))
  }
}

/// What all calibrated apps have learned, and what their open calls hold less than they can cost.
/// In memory; whoever starts tells it of calls of before.
struct Calibrator: Sendable {
  /// What a call holds, and where it is learned from; -1: nowhere yet.
  struct Hold {
    var amount: Money
    var history = -1
  }

  private let rules: [Calibration?]
  private var places: [[String: Int]]
  private var histories: [ShareHistory] = []
  /// By app.
  private var less: [Money]

  /// Models of an app beyond these are held at their bound: their names come from callers.
  static let modelsMax = 256

  init(_ policies: [AppPolicy]) {
    rules = policies.map(\.calibration)
    places = policies.map { _ in [:] }
    less = policies.map { _ in .zero }
  }

  @inline(__always)
  func isCalibrated(_ request: AdmissionRequest) -> Bool {
    rules[request.app] != nil && !request.hasBegun && !request.isHeldWhole
  }

  /// What a call of a calibrated app is to hold where it can cost `most`.
  func hold(_ request: AdmissionRequest, most: Money) -> Hold {
    guard let rule = rules[request.app],
      let history = places[request.app][request.families?.first ?? request.model]
    else { return Hold(amount: most) }
    let amount = ShareHistory.product(
      most.nanodollars, histories[history].held, over: ShareHistory.whole)
    let left = max(rule.overshootMax.nanodollars - less[request.app].nanodollars, 0)
    // Never nothing: what asks for nothing is not compared with any cap.
    return Hold(
      amount: Money(nanodollars: max(amount, most.nanodollars - left, 1)), history: history)
  }

  /// The largest bound that holds no more than `room`.
  func most(_ request: AdmissionRequest, holding room: Money) -> Money {
    guard let rule = rules[request.app], isCalibrated(request),
      let history = places[request.app][request.families?.first ?? request.model]
    else { return room }
    let most =
      Int128(room.nanodollars) * Int128(ShareHistory.whole)
      / Int128(max(histories[history].held, 1))
    let left = max(rule.overshootMax.nanodollars - less[request.app].nanodollars, 0)
    return min(
      Money(nanodollars: Int64(clamping: most)), room.addingClamped(Money(nanodollars: left)))
  }

  /// A call is admitted with this hold. Returns where its charge is noted; -1: nowhere.
  mutating func take(_ request: AdmissionRequest, _ hold: Hold, most: Money) -> Int {
    less[request.app] = less[request.app].addingClamped(
      Money(nanodollars: most.nanodollars - hold.amount.nanodollars))
    return hold.history >= 0
      ? hold.history
      : place(of: request.families?.first ?? request.model, app: request.app)
  }

  private mutating func place(of model: String, app: Int) -> Int {
    if let place = places[app][model] { return place }
    guard places[app].count < Self.modelsMax else { return -1 }
    places[app][model] = histories.count
    histories.append(ShareHistory())
    return histories.count - 1
  }

  /// A call has ended, whatever it cost, or goes on without its caller.
  mutating func end(app: Int, less amount: Money) {
    guard amount > .zero else { return }
    less[app] = less[app].addingClamped(Money(nanodollars: -amount.nanodollars))
  }

  mutating func note(history: Int, app: Int, charge: Money, of most: Money) {
    guard history >= 0, most > .zero, let rule = rules[app] else { return }
    histories[history].note(charge: charge, of: most, quantile: rule.quantile)
  }

  /// As above, of a call of before.
  mutating func note(model: String, app: Int, charge: Money, of most: Money) {
    note(history: place(of: model, app: app), app: app, charge: charge, of: most)
  }
}

extension Admission {
  /// Learns from a call that ended before this process began; the oldest first.
  ///
  /// - Parameters:
  ///   - app: its index.
  ///   - family: of its model; see `PriceBook.family`.
  ///   - most: what it could have cost.
  public mutating func learn(app: Int, family: String, charge: Money, of most: Money) {
    calibrator.note(model: family, app: app, charge: charge, of: most)
  }

  /// A reservation's end, for what it had taken besides its accounts.
  mutating func ended(_ ticket: Reservation.Ticket, used: Int64?, at now: Timestamp) {
    throttle.end(ticket.lease, of: ticket.call, used: used, at: now)
    if let app = ticket.app { calibrator.end(app: app, less: ticket.less) }
  }

  /// What an ended call teaches: only what its provider reported.
  mutating func learn(_ ticket: Reservation.Ticket, charge: Money, source: UsageSource) {
    guard let app = ticket.app, source == .reported else { return }
    calibrator.note(
      history: ticket.history, app: app, charge: charge, of: ticket.most)
  }
}
