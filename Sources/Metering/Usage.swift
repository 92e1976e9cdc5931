// What a call consumed, in buckets that never overlap.
//
// Providers disagree on whether cached tokens are inside the input count and reasoning inside the
// output count; every dialect's reader converts to these disjoint buckets at once, so that nothing
// after it can count a token twice.

/// Where a usage figure comes from. The three stay apart to the last report.
public enum UsageSource: UInt8, Sendable, Codable, CaseIterable {
  /// The provider said so.
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

/// Model tokens of one call in disjoint buckets; every count is ≥ 0.
public struct Usage: Hashable, Sendable, Codable {
  public var inputUncached: Int64 = 0
  public var cacheRead: Int64 = 0
  public var cacheWrite5m: Int64 = 0
  public var cacheWrite1h: Int64 = 0
  public var inputAudio: Int64 = 0
  public var inputImage: Int64 = 0
  public var outputText: Int64 = 0
  public var outputReasoning: Int64 = 0
  public var outputAudio: Int64 = 0
  public var source: UsageSource

  public init(source: UsageSource) { self.source = source }

  public static let unknown = Usage(source: .unknown)

  /// All input buckets, in tokens, held at the end of the range.
  public var inputTotal: Int64 {
    Self.sum(inputUncached, cacheRead, cacheWrite5m, cacheWrite1h, inputAudio, inputImage)
  }

  /// All output buckets, in tokens, held at the end of the range.
  public var outputTotal: Int64 { Self.sum(outputText, outputReasoning, outputAudio) }

  /// Counts come from a provider's answer: an absurd one must not trap.
  private static func sum(_ counts: Int64...) -> Int64 {
    counts.reduce(0) { total, count in
      let (sum, overflow) = total.addingReportingOverflow(count)
      return overflow ? .max : sum
    }
  }
}
