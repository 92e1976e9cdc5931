// What is compared: counts of one day, model and key, on either side.

import Metering

/// A column of figures that both sides can have.
enum UsageMeasure: Int, CaseIterable, Sendable {
  case requests
  /// Input tokens that no other measure of the export counts.
  case input
  case cacheRead
  case cacheWrite
  case output
  /// Nanodollars.
  case cost
  // Units that are no tokens. Models that bill tokens for them leave them out of a call's usage.
  /// Pictures that were made.
  case images
  case characters
  /// Of sound that was written down.
  case seconds
  case webSearches
  case fileSearches
  case codeSessions

  var isUnit: Bool {
    switch self {
    case .images, .characters, .seconds, .webSearches, .fileSearches, .codeSessions: true
    case .requests, .input, .cacheRead, .cacheWrite, .output, .cost: false
    }
  }

  /// As the JSON output spells it.
  var name: String {
    switch self {
    case .requests: "requests"
    case .input: "inputTokens"
    case .cacheRead: "cacheReadTokens"
    case .cacheWrite: "cacheWriteTokens"
    case .output: "outputTokens"
    case .cost: "costNanodollars"
    case .images: "images"
    case .characters: "characters"
    case .seconds: "seconds"
    case .webSearches: "webSearches"
    case .fileSearches: "fileSearches"
    case .codeSessions: "codeSessions"
    }
  }

  /// As the table heads it.
  var title: String {
    switch self {
    case .requests: "requests"
    case .input: "input"
    case .cacheRead: "cache read"
    case .cacheWrite: "cache write"
    case .output: "output"
    case .cost: "USD"
    case .images: "images"
    case .characters: "characters"
    case .seconds: "seconds"
    case .webSearches: "web searches"
    case .fileSearches: "file searches"
    case .codeSessions: "code sessions"
    }
  }

  /// A figure as people read it.
  func text(_ value: Int64) -> String {
    self == .cost ? Money(nanodollars: value).dollarsText : String(value)
  }
}

/// A figure for each measure; those that a side does not have are 0. Sums are held at the ends of
/// the range: an absurd export must not trap.
struct UsageFigures: Hashable, Sendable {
  private var values = [Int64](repeating: 0, count: UsageMeasure.allCases.count)

  subscript(measure: UsageMeasure) -> Int64 {
    get { values[measure.rawValue] }
    set { values[measure.rawValue] = newValue }
  }

  mutating func add(_ other: UsageFigures) {
    for measure in UsageMeasure.allCases { add(other[measure], to: measure) }
  }

  mutating func add(_ value: Int64, to measure: UsageMeasure) {
    self[measure] = self[measure].addingClamped(value)
  }

  /// The same with the caches' tokens counted as input where the other side does not tell them
  /// apart.
  func folded(to measures: Set<UsageMeasure>) -> UsageFigures {
    var folded = self
    for cache in [UsageMeasure.cacheRead, .cacheWrite] where !measures.contains(cache) {
      folded.add(self[cache], to: .input)
      folded[cache] = 0
    }
    return folded
  }
}

extension UsageFigures {
  /// Whether some of it is tokens.
  var hasTokens: Bool {
    [.input, .cacheRead, .cacheWrite, .output].contains { self[$0] != 0 }
  }

  /// A call's tokens in disjoint measures, and the units that exports count.
  ///
  /// - Parameter picture: the size of its pictures, where their pixels were billed.
  init(_ usage: Usage, picture: PictureName? = nil) {
    usage.forEachCount { bucket, count in
      switch bucket {
      case .cacheRead, .cacheReadAudio, .cacheReadImage: add(count, to: .cacheRead)
      case .cacheWrite5m, .cacheWrite30m, .cacheWrite1h, .cacheWrite12h:
        add(count, to: .cacheWrite)
      // No export counts what a search model cites among its input.
      case .citations: break
      case .requests: add(count, to: .requests)
      case .imagesOut: add(count, to: .images)
      case .pixelsOut: if let picture { add(count / picture.pixels, to: .images) }
      case .charactersIn: add(count, to: .characters)
      // Calls are billed by whole seconds.
      case .audioInMilliseconds: add(count / 1_000, to: .seconds)
      case .webSearches, .webSearchesLow, .webSearchesHigh: add(count, to: .webSearches)
      case .fileSearches: add(count, to: .fileSearches)
      case .codeSessions: add(count, to: .codeSessions)
      default:
        switch bucket.kind {
        case .inputTokens: add(count, to: .input)
        case .outputTokens: add(count, to: .output)
        case .units: break
        }
      }
    }
  }
}
