// Where a shift went, in words: "+6.0 pp refusal, of which 5.1 pp from answer".
//
// Labels of different outputs cannot be followed one by one, so every loss is shared among the
// gains in proportion. Source: the independent coupling of gains and losses.

/// A part of the shift that went from one class to another.
public struct Flow: Hashable, Sendable, Codable {
  public var from: String
  public var to: String
  /// Share of all outputs, in (0, 1].
  public var share: Double
}

extension Comparison {
  /// Every flow between a class that lost and one that gained, the largest first.
  public var flows: [Flow] {
    guard totalVariation > 0 else { return [] }
    let all = gainers.flatMap { gainer in
      losers.map { loser in
        Flow(
          from: loser.label, to: gainer.label,
          share: gainer.change * -loser.change / totalVariation)
      }
    }
    return all.enumerated().sorted { ($1.element.share, $0.offset) < ($0.element.share, $1.offset) }
      .map(\.element)
  }

  /// The largest gain and where most of it came from; nil where nothing moved.
  public var flowText: String? {
    guard let gainer = gainers.first, let loser = losers.first, totalVariation > 0 else {
      return nil
    }
    let part = gainer.change * -loser.change / totalVariation
    let gain = "\(signedPoints(gainer.change)) \(gainer.label)"
    let rest = losers.count == 1 ? "" : ", of which \(points(part)) from \(loser.label)"
    return losers.count == 1 ? "\(gain), from \(loser.label)" : gain + rest
  }
}

/// A share as percentage points with one decimal: 0.0604 is "6.0 pp".
public func points(_ share: Double) -> String {
  guard share.isFinite else { return "? pp" }
  let tenths = Int64((min(max(share, -1e6), 1e6) * 1_000).rounded())
  let sign = tenths < 0 ? "-" : ""
  return "\(sign)\(abs(tenths) / 10).\(abs(tenths) % 10) pp"
}

/// As `points`, with a plus sign before what is above 0.
public func signedPoints(_ share: Double) -> String {
  let text = points(share)
  return share > 0 ? "+\(text)" : text
}
