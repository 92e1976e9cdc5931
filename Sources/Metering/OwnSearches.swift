// Models that search the web without being asked to, and what they ask for it.

/// How a model that searches by itself bills its searches.
public enum OwnSearches: String, Hashable, Sendable, CaseIterable {
  /// One fee a call, however often it searched.
  case perCall = "per-call"
  /// Every search, and what is read of the pages that it finds: nothing bounds them.
  case perSearch = "per-search"
}

/// How much of what a search finds goes before the model, which some providers price.
public enum SearchSize: String, Hashable, Sendable, CaseIterable {
  case low, medium, high

  /// The bucket that searches of this size are counted in.
  public var bucket: UsageBucket {
    switch self {
    case .low: .webSearchesLow
    case .medium: .webSearches
    case .high: .webSearchesHigh
    }
  }
}

extension ModelPrice {
  /// The fee of a call's own searches as it is held: of the size that the request asks for, else of
  /// the dearest, since the provider chooses. Nil where the model bills none, or not by the call.
  public func ownSearchFee(asked size: SearchSize?) -> UsageCount? {
    guard ownSearches == .perCall else { return nil }
    let dearest = SearchSize.allCases.max {
      base.rate(of: $0.bucket) ?? -1 < base.rate(of: $1.bucket) ?? -1
    }
    return UsageCount((size ?? dearest ?? .medium).bucket, 1)
  }

  /// A usage as the provider bills it: one fee in place of the searches that it reports, where the
  /// model asks one a call.
  ///
  /// - Parameter size: what the answer said, else what the request asked for.
  public func billed(_ usage: Usage, searchSize size: SearchSize?) -> Usage {
    guard ownSearches == .perCall else { return usage }
    var usage = usage
    for other in SearchSize.allCases { usage[other.bucket] = 0 }
    usage[(size ?? .medium).bucket] = 1
    return usage
  }
}
