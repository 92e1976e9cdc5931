// What the fields of a price table mean, in the naming of LiteLLM's public table: US dollars a
// unit, with suffixes for the cache's lifetime, the context from which a rate holds, and the
// service tier.
//
// A field that is not known here refuses the file: a price that is dropped in silence is one that
// calls are not charged.

import Foundation
import Metering

/// A field of a row that states a rate.
struct PriceTableField: Hashable {
  var bucket: UsageBucket
  /// An amount in dollars × 10^this is a rate.
  var power: Int
  var place = PriceEntry.Place()

  /// Fields that state no price. `mode` says how to read some that do.
  static let descriptions: Set<String> = [
    "model", "provider", "mode", "source", "max_input_tokens", "max_output_tokens",
    "deprecation_date",
  ]

  /// Capacity rented by the hour: no call can be charged by it.
  static let reservedCapacity = "cost_per_second"

  /// One rate per size of context that a search returns.
  static let searches = "search_context_cost_per_query"
  static let searchSizes: [String: UsageBucket] = [
    "search_context_size_low": .webSearchesLow, "search_context_size_medium": .webSearches,
    "search_context_size_high": .webSearchesHigh,
  ]

  /// A unit's price × 10^15 is nanodollars per million units; of seconds × 10^12, since those are
  /// counted in milliseconds, and of a thousand searches of files, which the table prices together.
  private static let unitPower = 15
  private static let thousandthPower = 12

  /// Characters that come out have no bucket, because no dialect reports them: a row that prices
  /// them cannot price a call.
  static let uncounted: Set<String> = ["output_cost_per_character"]

  private static let stems: [String: UsageBucket] = [
    "input_cost_per_token": .inputUncached, "output_cost_per_token": .outputText,
    "cache_read_input_token_cost": .cacheRead, "input_cost_per_token_cache_hit": .cacheRead,
    "cache_creation_input_token_cost": .cacheWrite5m,
    // "Above" an hour is how long the cache lives, not how long the context is.
    "cache_creation_input_token_cost_above_1hr": .cacheWrite1h,
    "cache_creation_input_token_cost_above_12hr": .cacheWrite12h,
    "cache_read_input_audio_token_cost": .cacheReadAudio,
    "cache_read_input_image_token_cost": .cacheReadImage,
    "input_cost_per_audio_token": .inputAudio, "output_cost_per_audio_token": .outputAudio,
    "input_cost_per_image_token": .inputImage, "output_cost_per_image_token": .outputImage,
    "input_cost_per_video_token": .inputVideo, "output_cost_per_video_token": .outputVideo,
    "output_cost_per_reasoning_token": .outputReasoning, "citation_cost_per_token": .citations,
    "input_cost_per_second": .audioInMilliseconds,
    "input_cost_per_audio_per_second": .audioInMilliseconds,
    "input_cost_per_video_per_second": .videoInMilliseconds,
    "output_cost_per_second": .outputMilliseconds, "input_cost_per_character": .charactersIn,
    "input_cost_per_image": .imagesIn, "output_cost_per_image": .imagesOut,
    "input_cost_per_pixel": .pixelsIn, "output_cost_per_pixel": .pixelsOut,
    "input_cost_per_query": .queries, "input_cost_per_request": .requests,
    "ocr_cost_per_page": .pages, "google_maps_grounding_cost_per_query": .mapsQueries,
    "code_interpreter_cost_per_session": .codeSessions,
    "file_search_cost_per_1k_calls": .fileSearches,
  ]

  /// Buckets whose rates no field states: they are said by hand.
  static let unsaid = Set(UsageBucket.allCases).subtracting(stems.values)
    .subtracting(searchSizes.values).sorted { $0.rawValue < $1.rawValue }

  /// Service tiers by the table's word for them.
  private static let tiers = [
    "batches": "batch", "flex": "flex", "priority": "priority", "fast": "fast",
    "ultrafast": "ultrafast", "scale": "scale", "decisions": "decisions",
  ]

  init(bucket: UsageBucket, power: Int, place: PriceEntry.Place = .init()) {
    self.bucket = bucket
    self.power = power
    self.place = place
  }

  /// A rate of a bucket in the base.
  init(bucket: UsageBucket) {
    switch bucket {
    case .audioInMilliseconds, .videoInMilliseconds, .outputMilliseconds, .fileSearches:
      self.init(bucket: bucket, power: Self.thousandthPower)
    default: self.init(bucket: bucket, power: Self.unitPower)
    }
  }

  /// Reads a field's name; nil where it is not known.
  ///
  /// - Parameter has: whether the row has a field. An unknown last word is a service tier where
  ///   the row prices plain input and output under it too, and a slip or a new kind of price
  ///   elsewhere.
  init?(name: String, has: (String) -> Bool) {
    if let bucket = Self.stems[name] {
      self.init(bucket: bucket)
      return
    }
    if let (stem, above) = Self.splitContext(name), let bucket = Self.stems[stem] {
      self.init(bucket: bucket)
      place.aboveInputTokens = above
      return
    }
    guard let underscore = name.lastIndex(of: "_") else { return nil }
    let word = String(name[name.index(after: underscore)...])
    let rest = String(name[..<underscore])
    let isTier =
      has("input_cost_per_token_\(word)") && has("output_cost_per_token_\(word)")
      && word.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
    guard let tier = Self.tiers[word] ?? (isTier ? word : nil) else { return nil }
    if let bucket = Self.stems[rest] {
      self.init(bucket: bucket)
    } else if let (stem, above) = Self.splitContext(rest), let bucket = Self.stems[stem] {
      self.init(bucket: bucket)
      place.aboveInputTokens = above
    } else {
      return nil
    }
    place.serviceTier = tier
  }

  /// Whether a field prices a unit that no bucket counts.
  static func isUncounted(_ name: String) -> Bool {
    uncounted.contains(splitContext(name)?.stem ?? name)
  }

  /// `STEM_above_272k_tokens` as STEM and 272,000; nil for other names.
  private static func splitContext(_ name: String) -> (stem: String, above: Int64)? {
    guard name.hasSuffix("k_tokens"), let mark = name.range(of: "_above_", options: .backwards),
      let thousands = Int64(name[mark.upperBound...].dropLast("k_tokens".count)),
      (1...100_000).contains(thousands)
    else { return nil }
    return (String(name[..<mark.lowerBound]), thousands * 1_000)
  }
}
