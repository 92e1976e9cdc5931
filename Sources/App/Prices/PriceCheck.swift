// What looks wrong in a book and may be right: warnings, where faults are what cannot be read.
//
// Each is a way in which real price lists were wrong: an amount per thousand in a field per
// million, a column that slipped, a discount that is none.

import Foundation
import Metering

/// The warnings about one book.
struct PriceCheck {
  struct Warning: Hashable {
    var line: Int
    var text: String
  }

  private(set) var warnings: [Warning] = []
  /// Models that their provider no longer serves.
  private(set) var retired: [String] = []
  let modelCount: Int
  let priceCount: Int

  /// Beyond this factor two rates of one kind are hardly both right.
  private static let factor: Int64 = 1_000
  /// A rate has neighbours from so many on.
  private static let neighboursMin = 5

  /// - Parameter today: which prices are in force, and which models are retired.
  init(_ file: PriceFile, today: CivilDate) {
    modelCount = file.models.count
    priceCount = file.models.reduce(0) { $0 + $1.entries.count }
    let medians = Self.medians(file)
    for model in file.models {
      for (entry, line) in model.entries {
        let size = Self.dearerSize(entry, of: model.name, in: file)
        for text in Self.texts(entry, medians: medians) + (size.map { [$0] } ?? []) {
          warnings.append(Warning(line: line, text: "'\(model.name)': \(text)"))
        }
      }
      let last = model.entries.map(\.entry).max { $0.from < $1.from }
      if let day = last?.retires, day <= today { retired.append(model.name) }
    }
  }

  private static func texts(_ entry: PriceEntry, medians: [UsageBucket: Int64]) -> [String] {
    var texts: [String] = []
    let base = entry.base
    if base.statedBuckets.allSatisfy({ base[$0] == 0 }) { texts.append("costs nothing") }
    if let input = base[.inputUncached], let output = base[.outputText], output > 0,
      output < input / 100
    {
      texts.append("output costs less than a hundredth of input")
    }
    for (place, rates) in entry.sections {
      let price = entry.price.rates(
        inputTokens: place.aboveInputTokens == 0 ? 0 : place.aboveInputTokens + 1,
        serviceTier: place.serviceTier.isEmpty ? nil : place.serviceTier)
      let name = "\(place)".isEmpty ? "" : "\(place): "
      if rates[.cacheRead] != nil || rates[.inputUncached] != nil,
        let read = price.rate(of: .cacheRead), let input = price.rate(of: .inputUncached),
        read > input
      {
        texts.append("\(name)a cached token costs more than a fresh one")
      }
      if place.serviceTier.isEmpty, place.aboveInputTokens > 0 {
        for bucket in [UsageBucket.inputUncached, .outputText] {
          guard let rate = rates[bucket], let below = base.rate(of: bucket), rate < below
          else { continue }
          texts.append("\(name)\(bucket.name) is cheaper than below it")
        }
      }
    }
    for bucket in base.statedBuckets {
      guard let rate = base[bucket], rate > 0, let median = medians[bucket], median > 0,
        rate / factor > median || median / factor > rate, let key = RateKey.byBucket[bucket]
      else { continue }
      texts.append(
        "\(key.name) is $\(key.amount(rate)), and $\(key.amount(median)) is usual here; "
          + "is the unit right?")
    }
    return texts
  }

  /// A model's one price of a picture, where the book has a dearer one of a size or quality
  /// (`hd/1024-x-1792/NAME`): a call is priced by the model's name alone.
  private static func dearerSize(
    _ entry: PriceEntry, of name: String, in file: PriceFile
  ) -> String? {
    guard PictureName(name) == nil else { return nil }
    for bucket in [UsageBucket.imagesOut, .pixelsOut] {
      guard let rate = entry.base[bucket], rate > 0 else { continue }
      let dearer = file.models.first { model in
        model.name.hasSuffix("/" + name)
          && model.entries.last?.entry.base[bucket] ?? 0 > rate
      }
      guard let dearer else { continue }
      return "'\(dearer.name)' costs more, and is not looked up; is this the dearest size?"
    }
    return nil
  }

  /// The middle rate of each bucket over the book's models.
  private static func medians(_ file: PriceFile) -> [UsageBucket: Int64] {
    var rates: [UsageBucket: [Int64]] = [:]
    for model in file.models {
      guard let base = model.entries.last?.entry.base else { continue }
      for bucket in base.statedBuckets {
        if let rate = base[bucket], rate > 0 { rates[bucket, default: []].append(rate) }
      }
    }
    return rates.compactMapValues { rates in
      rates.count < neighboursMin ? nil : rates.sorted()[rates.count / 2]
    }
  }
}
