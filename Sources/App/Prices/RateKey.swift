// How a price file spells the rate of each bucket: a key that says its unit, dollars in decimal
// text.

import Metering

/// One key of a price file, and the bucket whose rate it states.
struct RateKey: Hashable, Sendable {
  /// What an amount is for. Rates are kept in nanodollars per million units, and sound and film are
  /// counted in milliseconds.
  enum Unit: String, Sendable {
    case million = "PerMillion"
    case thousand = "PerThousand"
    case second = "PerSecond"
    case each = "Each"

    /// An amount in dollars × 10^this is a rate; so many decimals are exact.
    var power: Int {
      switch self {
      case .million: 9
      case .thousand, .second: 12
      case .each: 15
      }
    }

    /// As in "2.50 dollars per million".
    var words: String {
      switch self {
      case .million: "per million"
      case .thousand: "per thousand"
      case .second: "per second"
      case .each: "each"
      }
    }
  }

  let bucket: UsageBucket
  let unit: Unit
  let name: String

  private init(_ stem: String, _ unit: Unit, _ bucket: UsageBucket) {
    self.bucket = bucket
    self.unit = unit
    name = stem + unit.rawValue
  }

  /// Every bucket's key, in the order in which files state them.
  static let all: [RateKey] = [
    RateKey("input", .million, .inputUncached), RateKey("cacheRead", .million, .cacheRead),
    RateKey("cacheWrite5m", .million, .cacheWrite5m),
    RateKey("cacheWrite30m", .million, .cacheWrite30m),
    RateKey("cacheWrite1h", .million, .cacheWrite1h),
    RateKey("cacheWrite12h", .million, .cacheWrite12h),
    RateKey("output", .million, .outputText),
    RateKey("outputReasoning", .million, .outputReasoning),
    RateKey("inputAudio", .million, .inputAudio),
    RateKey("cacheReadAudio", .million, .cacheReadAudio),
    RateKey("outputAudio", .million, .outputAudio),
    RateKey("inputImage", .million, .inputImage),
    RateKey("cacheReadImage", .million, .cacheReadImage),
    RateKey("outputImage", .million, .outputImage),
    RateKey("inputVideo", .million, .inputVideo),
    RateKey("outputVideo", .million, .outputVideo),
    RateKey("citations", .million, .citations),
    RateKey("webSearches", .thousand, .webSearches),
    RateKey("webSearchesLow", .thousand, .webSearchesLow),
    RateKey("webSearchesHigh", .thousand, .webSearchesHigh),
    RateKey("mapsQueries", .thousand, .mapsQueries),
    RateKey("fileSearches", .thousand, .fileSearches),
    RateKey("codeSession", .each, .codeSessions), RateKey("queries", .thousand, .queries),
    RateKey("requests", .thousand, .requests), RateKey("pages", .thousand, .pages),
    RateKey("imageIn", .each, .imagesIn), RateKey("imageOut", .each, .imagesOut),
    RateKey("charactersIn", .million, .charactersIn),
    RateKey("audioIn", .second, .audioInMilliseconds),
    RateKey("videoIn", .second, .videoInMilliseconds),
    RateKey("output", .second, .outputMilliseconds),
    RateKey("pixelsIn", .million, .pixelsIn), RateKey("pixelsOut", .million, .pixelsOut),
  ]

  static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
  static let byBucket = Dictionary(uniqueKeysWithValues: all.map { ($0.bucket, $0) })

  /// A rate as the key's amount in dollars: `2.50`.
  func amount(_ rate: Int64) -> String {
    ExactDecimal.text(rate, dividedByTenTo: unit.power)
  }
}
