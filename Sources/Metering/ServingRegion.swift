// Where a model is run, where that changes its price.

extension ModelPrice {
  /// A service tier and the region that served, in one name, as calls are recorded: `batch@us`.
  ///
  /// - Parameter region: nil where the provider did not say, or says that it was any.
  public static func served(as tier: String?, in region: String?) -> String? {
    guard let region else { return tier }
    return "\(tier ?? "")@\(region)"
  }

  /// The two parts of such a name; nil where it names no region.
  static func parts(ofServed name: String) -> (tier: String?, region: String)? {
    guard let mark = name.utf8.lastIndex(of: UInt8(ascii: "@")) else { return nil }
    let tier = name[..<mark]
    return (tier.isEmpty ? nil : String(tier), String(name[name.utf8.index(after: mark)...]))
  }

  /// How many times its rate a token may cost, in thousandths: 1,000 where no region is dearer.
  ///
  /// - Parameter region: the one that the request asks for; nil where the provider's settings, not
  ///   the request, choose it.
  func dearestRegion(asked region: String?) -> Int64 {
    switch region {
    case Self.anyRegion: 1_000
    case let region?: regions[region] ?? 1_000
    case nil: max(regions.values.max() ?? 1_000, 1_000)
    }
  }

  /// What providers call the choice that has no surcharge.
  public static let anyRegion = "global"
}

extension Rates {
  /// The rates of tokens times so many thousandths, rounded up; other units keep theirs.
  func scaled(toThousandths factor: Int64) -> Rates {
    var rates = self
    for bucket in statedBuckets where bucket.kind != .units {
      rates[bucket] = self[bucket].map { Self.scaled($0, toThousandths: factor) }
    }
    return rates
  }

  /// A rate, held at the end of the range.
  static func scaled(_ rate: Int64, toThousandths factor: Int64) -> Int64 {
    Int64(clamping: (Int128(rate) * Int128(factor) + 999) / 1_000)
  }
}
