// What a unit of each bucket costs.

/// Nanodollars per million units of each bucket; every rate is ≥ 0.
///
/// A bucket of tokens without a rate of its own costs what a related one costs; a bucket of other
/// units (a search, an image, a second) without one has no price.
public struct Rates: Hashable, Sendable, Codable {
  /// By bucket's raw value; -1: not stated.
  private var stated: [Int64]
  /// The dearest rate that a token that goes in, or comes out, can meet; -1: none has a price.
  private(set) var dearestInput: Int64 = -1
  private(set) var dearestOutput: Int64 = -1

  /// Rates where nothing is stated.
  public init() { stated = Array(repeating: -1, count: Self.size) }

  /// Rates from the two that most books state, in nanodollars per million tokens.
  public init(input: Int64, output: Int64) {
    self.init()
    self[.inputUncached] = input
    self[.outputText] = output
  }

  private static let size = Int(UsageBucket.allCases.map(\.rawValue).max() ?? 0) + 1

  /// The rate that is stated for a bucket itself; nil where none is.
  public subscript(bucket: UsageBucket) -> Int64? {
    get {
      let rate = stated[Int(bucket.rawValue)]
      return rate < 0 ? nil : rate
    }
    set {
      stated[Int(bucket.rawValue)] = newValue ?? -1
      settleDearest()
    }
  }

  /// The rate that a unit of a bucket is charged at; nil: it has no price.
  @inline(__always)
  public func rate(of bucket: UsageBucket) -> Int64? {
    let rate = stated[Int(bucket.rawValue)]
    return rate >= 0 ? rate : Self.stand(for: bucket).flatMap { self.rate(of: $0) }
  }

  /// What each call costs whatever it uses; 0 where nothing is stated.
  var requestFee: Int64 { max(0, stated[Int(UsageBucket.requests.rawValue)]) }

  /// The bucket whose rate stands for one that is not stated; nil: none does.
  ///
  /// A discount is never assumed: what may be cheaper than plain input costs what plain input
  /// costs.
  private static func stand(for bucket: UsageBucket) -> UsageBucket? {
    switch bucket {
    case .cacheRead, .cacheWrite5m, .inputAudio, .inputImage, .inputVideo, .citations:
      .inputUncached
    case .cacheWrite1h, .cacheWrite30m: .cacheWrite5m
    case .cacheWrite12h: .cacheWrite1h
    case .cacheReadAudio, .cacheReadImage: .cacheRead
    case .outputReasoning, .outputAudio, .outputImage, .outputVideo: .outputText
    case .webSearchesLow, .webSearchesHigh: .webSearches
    default: nil
    }
  }

  /// These rates; where one is not stated, the other's.
  public func inheriting(_ base: Rates) -> Rates {
    var rates = self
    for (index, rate) in base.stated.enumerated() where rates.stated[index] < 0 {
      rates.stated[index] = rate
    }
    rates.settleDearest()
    return rates
  }

  /// The dearer rate of the two, bucket by bucket.
  func dearer(_ other: Rates) -> Rates {
    var rates = self
    for bucket in UsageBucket.allCases {
      if let one = rate(of: bucket) {
        rates[bucket] = max(one, other.rate(of: bucket) ?? 0)
      } else {
        rates[bucket] = other.rate(of: bucket)
      }
    }
    return rates
  }

  /// A bucket that borrows its rate is no dearer than the one that states it.
  private mutating func settleDearest() {
    dearestInput = -1
    dearestOutput = -1
    for bucket in UsageBucket.allCases {
      switch bucket.kind {
      case .inputTokens: dearestInput = max(dearestInput, stated[Int(bucket.rawValue)])
      case .outputTokens: dearestOutput = max(dearestOutput, stated[Int(bucket.rawValue)])
      case .units: break
      }
    }
  }

  /// Every bucket with a stated rate.
  public var statedBuckets: [UsageBucket] { UsageBucket.allCases.filter { self[$0] != nil } }
}
