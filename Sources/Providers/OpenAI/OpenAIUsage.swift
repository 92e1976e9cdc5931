// The usage object of the OpenAI dialect, normalised to buckets that never overlap.
//
// Here cached and audio tokens are inside the input count and reasoning inside the output count.

import Metering

/// The figures of a `usage` object as they stand; the last value that is not null wins, per field.
struct OpenAIUsage: Sendable {
  /// A count of `usage` or of its details.
  enum Field: UInt8 {
    case prompt, completion, total
    case cached, cacheWrite, inputAudio, inputImage, reasoning, outputAudio
    /// Parts of `cached` that are parts of `inputAudio` and `inputImage` too.
    case cachedAudio, cachedImage
    /// Parts of `cacheWrite` by how long they are kept; the rest of it is kept the shortest.
    case cacheWrite30m, cacheWrite12h
    case outputImage
    /// Of servers that search by themselves (Perplexity): their searches, what was read of the
    /// pages found, and reasoning, all beside the other counts.
    case searches, citations, reasoningBeside
  }

  /// No call comes near this many tokens; a larger count is a fault, and sums stay in range.
  static let countMax: Int64 = 1 << 48

  private var prompt: Int64?
  private var completion: Int64?
  private var total: Int64?
  private var cached: Int64 = 0
  private var cachedAudio: Int64 = 0
  private var cachedImage: Int64 = 0
  private var cacheWrite: Int64 = 0
  private var cacheWrite30m: Int64 = 0
  private var cacheWrite12h: Int64 = 0
  private var inputAudio: Int64 = 0
  private var inputImage: Int64 = 0
  private var reasoning: Int64 = 0
  private var outputAudio: Int64 = 0
  private var outputImage: Int64 = 0
  private var searches: Int64?
  private var citations: Int64 = 0
  private var reasoningBeside: Int64 = 0
  private(set) var isInconsistent = false

  /// Takes a figure.
  ///
  /// - Parameter number: nil where it is no whole number within range. A negative count is as if it
  ///   were not said: believed, it would be a free call.
  mutating func set(_ field: Field, _ number: Int64?) {
    guard let count = number, (0...Self.countMax).contains(count) else {
      isInconsistent = true
      return
    }
    switch field {
    case .prompt: prompt = count
    case .completion: completion = count
    case .total: total = count
    case .cached: cached = count
    case .cachedAudio: cachedAudio = count
    case .cachedImage: cachedImage = count
    case .cacheWrite: cacheWrite = count
    case .cacheWrite30m: cacheWrite30m = count
    case .cacheWrite12h: cacheWrite12h = count
    case .inputAudio: inputAudio = count
    case .inputImage: inputImage = count
    case .reasoning: reasoning = count
    case .outputAudio: outputAudio = count
    case .outputImage: outputImage = count
    case .searches: searches = count
    case .citations: citations = count
    case .reasoningBeside: reasoningBeside = count
    }
  }

  /// The figures in disjoint buckets; nil where input or output was not said and does not follow
  /// from the total.
  ///
  /// Where parts exceed their whole, the cheaper part gives way to the plain rate. A total above
  /// input + output is output that was not named (thinking, behind Gemini's compatible endpoint):
  /// it is billed.
  func normalised() -> (usage: Usage, isInconsistent: Bool)? {
    let input: Int64
    let output: Int64
    switch (prompt, completion, total) {
    case (let prompt?, let completion?, _): (input, output) = (prompt, completion)
    case (let prompt?, nil, let total?) where total >= prompt:
      (input, output) = (prompt, total - prompt)
    case (nil, let completion?, let total?) where total >= completion:
      (input, output) = (total - completion, completion)
    default: return nil
    }
    var isInconsistent = isInconsistent
    var usage = Usage(source: .reported)
    var rest = input
    var cached = cached
    var (audio, image) = (inputAudio, inputImage)
    // Cached sound stands in two of the counts, and is billed as one.
    usage[.cacheReadAudio] = Self.both(cachedAudio, &cached, &audio, &isInconsistent)
    usage[.cacheReadImage] = Self.both(cachedImage, &cached, &image, &isInconsistent)
    rest = max(0, rest - usage[.cacheReadAudio] - usage[.cacheReadImage])
    usage.inputAudio = take(audio, from: &rest, &isInconsistent)
    usage.inputImage = take(image, from: &rest, &isInconsistent)
    var written = take(cacheWrite, from: &rest, &isInconsistent)
    if written > 0 {
      usage[.cacheWrite12h] = take(cacheWrite12h, from: &written, &isInconsistent)
      usage[.cacheWrite30m] = take(cacheWrite30m, from: &written, &isInconsistent)
    }
    usage.cacheWrite5m = written
    // More cached than there was input is no reason for the cached rate.
    if cached > rest { isInconsistent = true } else { usage.cacheRead = cached }
    rest -= usage.cacheRead
    usage.inputUncached = rest
    rest = output
    var unnamed = max(0, (total ?? 0) - input - output)
    // The same name at the same place is a part of the output at servers that do not search.
    if searches != nil { unnamed = max(unnamed, reasoningBeside) }
    usage[.webSearches] = searches ?? 0
    usage[.citations] = citations
    usage.outputAudio = take(outputAudio, from: &rest, &isInconsistent)
    usage[.outputImage] = take(outputImage, from: &rest, &isInconsistent)
    // Where reasoning stands beside the output count, the total says so: no contradiction.
    var isOutside = false
    usage.outputReasoning = take(reasoning, from: &rest, &isOutside) + unnamed
    let named = usage.outputAudio + usage[.outputImage]
    if isOutside, unnamed < reasoning - (output - named) { isInconsistent = true }
    usage.outputText = rest
    return (usage, isInconsistent)
  }

  /// A part of two counts, taken out of both; nothing where it exceeds one of them.
  private static func both(
    _ part: Int64, _ one: inout Int64, _ other: inout Int64, _ isOver: inout Bool
  ) -> Int64 {
    guard part <= one, part <= other else {
      isOver = true
      return 0
    }
    one -= part
    other -= part
    return part
  }

  private func take(_ part: Int64, from rest: inout Int64, _ isOver: inout Bool) -> Int64 {
    if part > rest { isOver = true }
    let taken = min(part, rest)
    rest -= taken
    return taken
  }
}
