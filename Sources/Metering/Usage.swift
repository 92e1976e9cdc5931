// What a call consumed, in buckets that never overlap.
//
// Providers disagree on whether cached tokens are inside the input count and reasoning inside the
// output count; every dialect's reader converts to these disjoint buckets at once, so that nothing
// after it can count a token twice.

/// Where a usage figure comes from. The three stay apart to the last report.
public enum UsageSource: UInt8, Sendable, Codable, CaseIterable {
  /// The provider said so, or its whole answer to the request leaves nothing open: pictures of a
  /// plain size, characters.
  case reported = 0
  /// Computed by us, because the provider did not say; errs upwards.
  case estimated = 1
  /// Nothing is known.
  case unknown = 2

  public var name: String {
    switch self {
    case .reported: "reported"
    case .estimated: "estimated"
    case .unknown: "unknown"
    }
  }
}

/// A count of one bucket.
public struct UsageCount: Hashable, Sendable, Codable {
  public var bucket: UsageBucket
  public var count: Int64

  public init(_ bucket: UsageBucket, _ count: Int64) {
    self.bucket = bucket
    self.count = count
  }
}

/// What one model of a call consumed, in disjoint buckets; every count is ≥ 0.
public struct Usage: Hashable, Sendable, Codable {
  // The buckets that most calls fill lie here, so that they cost no allocation.
  public var inputUncached: Int64 = 0
  public var cacheRead: Int64 = 0
  public var cacheWrite5m: Int64 = 0
  public var cacheWrite1h: Int64 = 0
  public var inputAudio: Int64 = 0
  public var inputImage: Int64 = 0
  public var outputText: Int64 = 0
  public var outputReasoning: Int64 = 0
  public var outputAudio: Int64 = 0
  /// Counts of all other buckets, ascending by bucket, none of them zero.
  public private(set) var others: [UsageCount] = []
  public var source: UsageSource

  public init(source: UsageSource) { self.source = source }

  public static let unknown = Usage(source: .unknown)

  /// The count of a bucket.
  public subscript(bucket: UsageBucket) -> Int64 {
    get {
      // Written out: a table of key paths costs hundreds of instructions a look.
      switch bucket {
      case .inputUncached: inputUncached
      case .cacheRead: cacheRead
      case .cacheWrite5m: cacheWrite5m
      case .cacheWrite1h: cacheWrite1h
      case .inputAudio: inputAudio
      case .inputImage: inputImage
      case .outputText: outputText
      case .outputReasoning: outputReasoning
      case .outputAudio: outputAudio
      default: others.first { $0.bucket == bucket }?.count ?? 0
      }
    }
    set {
      switch bucket {
      case .inputUncached: inputUncached = newValue
      case .cacheRead: cacheRead = newValue
      case .cacheWrite5m: cacheWrite5m = newValue
      case .cacheWrite1h: cacheWrite1h = newValue
      case .inputAudio: inputAudio = newValue
      case .inputImage: inputImage = newValue
      case .outputText: outputText = newValue
      case .outputReasoning: outputReasoning = newValue
      case .outputAudio: outputAudio = newValue
      default: setOther(bucket, newValue)
      }
    }
  }

  private mutating func setOther(_ bucket: UsageBucket, _ count: Int64) {
    let place = others.firstIndex { $0.bucket.rawValue >= bucket.rawValue } ?? others.count
    if place < others.count, others[place].bucket == bucket {
      if count == 0 { others.remove(at: place) } else { others[place].count = count }
    } else if count != 0 {
      others.insert(UsageCount(bucket, count), at: place)
    }
  }

  /// Adds another usage's counts to these, held at the end of the range; the source stays.
  public mutating func add(_ other: Usage) {
    other.forEachCount { self[$0] = self[$0].addingClamped($1) }
  }

  /// All counts that are not zero.
  public func forEachCount(_ body: (UsageBucket, Int64) -> Void) {
    if inputUncached != 0 { body(.inputUncached, inputUncached) }
    if cacheRead != 0 { body(.cacheRead, cacheRead) }
    if cacheWrite5m != 0 { body(.cacheWrite5m, cacheWrite5m) }
    if cacheWrite1h != 0 { body(.cacheWrite1h, cacheWrite1h) }
    if inputAudio != 0 { body(.inputAudio, inputAudio) }
    if inputImage != 0 { body(.inputImage, inputImage) }
    if outputText != 0 { body(.outputText, outputText) }
    if outputReasoning != 0 { body(.outputReasoning, outputReasoning) }
    if outputAudio != 0 { body(.outputAudio, outputAudio) }
    for other in others { body(other.bucket, other.count) }
  }

  /// All input buckets, in tokens, held at the end of the range.
  public var inputTotal: Int64 {
    var usual = inputUncached.addingClamped(cacheRead)
    usual = usual.addingClamped(cacheWrite5m.addingClamped(cacheWrite1h))
    usual = usual.addingClamped(inputAudio.addingClamped(inputImage))
    return others.isEmpty ? usual : usual.addingClamped(total(of: .inputTokens))
  }

  /// All output buckets, in tokens, held at the end of the range.
  public var outputTotal: Int64 {
    let usual = outputText.addingClamped(outputReasoning.addingClamped(outputAudio))
    return others.isEmpty ? usual : usual.addingClamped(total(of: .outputTokens))
  }

  private func total(of kind: UsageBucket.Kind) -> Int64 {
    others.reduce(0) { $1.bucket.kind == kind ? $0.addingClamped($1.count) : $0 }
  }
}

/// What a model beside the one that was asked for consumed within a call (an adviser, a fallback),
/// at that model's price.
public struct ModelUsage: Hashable, Sendable, Codable {
  public var model: String
  public var usage: Usage

  public init(model: String, usage: Usage) {
    self.model = model
    self.usage = usage
  }
}
