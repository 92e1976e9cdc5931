// Gemini's `usageMetadata`, normalised to buckets that never overlap.
//
// Here cached tokens are inside the prompt's count, thoughts beside the candidates' and what tools
// put in beside the prompt's. Kinds of tokens are told in lists of their own; a count of zero is
// left out of the JSON.

import Metering

/// The figures of a `usageMetadata` object; of a stream's, the last that were said, per field.
struct GeminiUsage: Sendable {
  enum Field: UInt8 { case prompt, cached, candidates, thoughts, toolUse, total }

  /// A list of counts by modality.
  enum List: UInt8 { case prompt, cached, candidates, toolUse, none }

  enum Modality: UInt8 { case text, image, video, audio, document, unknown }

  private struct Modalities {
    var image: Int64 = 0
    var video: Int64 = 0
    var audio: Int64 = 0

    mutating func set(_ modality: Modality, _ count: Int64) {
      switch modality {
      case .image: image = count
      case .video: video = count
      case .audio: audio = count
      // Documents are billed as text.
      case .text, .document, .unknown: break
      }
    }
  }

  private var counts: [Int64?] = Array(repeating: nil, count: 6)
  private var lists: [Modalities] = Array(repeating: Modalities(), count: 4)
  private(set) var isInconsistent = false

  /// Takes a figure.
  ///
  /// - Parameter number: nil where it is no whole number within range; it is then as if not said.
  mutating func set(_ field: Field, _ number: Int64?) {
    guard let count = number, (0...OpenAIUsage.countMax).contains(count) else {
      isInconsistent = true
      return
    }
    counts[Int(field.rawValue)] = count
  }

  /// A list is said anew.
  mutating func begin(_ list: List) {
    if list != .none { lists[Int(list.rawValue)] = Modalities() }
  }

  mutating func set(_ list: List, _ modality: Modality, _ number: Int64?) {
    guard list != .none else { return }
    guard let count = number, (0...OpenAIUsage.countMax).contains(count) else {
      isInconsistent = true
      return
    }
    lists[Int(list.rawValue)].set(modality, count)
  }

  private func count(_ field: Field) -> Int64? { counts[Int(field.rawValue)] }

  /// The figures in disjoint buckets; nil where neither prompt nor total was said.
  func normalised() -> (usage: Usage, isInconsistent: Bool)? {
    guard count(.prompt) != nil || count(.total) != nil else { return nil }
    var isInconsistent = isInconsistent
    let prompt = count(.prompt) ?? 0
    let toolUse = count(.toolUse) ?? 0
    let candidates = count(.candidates) ?? 0
    let thoughts = count(.thoughts) ?? 0
    var cached = count(.cached) ?? 0
    // More cached than there was input is no reason for the cached rate.
    if cached > prompt {
      isInconsistent = true
      cached = 0
    }
    var usage = Usage(source: .reported)
    let (of, from) = (lists[Int(List.prompt.rawValue)], lists[Int(List.cached.rawValue)])
    func take(_ part: Int64, _ rest: inout Int64) -> Int64 {
      if part > rest { isInconsistent = true }
      let taken = min(part, rest)
      rest -= taken
      return taken
    }
    var rest = cached
    usage[.cacheReadAudio] = take(from.audio, &rest)
    usage[.cacheReadImage] = take(from.image, &rest)
    usage.cacheRead = rest
    rest = prompt - cached
    usage.inputAudio = take(max(0, of.audio - usage[.cacheReadAudio]), &rest)
    usage.inputImage = take(max(0, of.image - usage[.cacheReadImage]), &rest)
    usage[.inputVideo] = take(max(0, of.video - from.video), &rest)
    usage.inputUncached = rest + toolUse
    let out = lists[Int(List.candidates.rawValue)]
    rest = candidates
    usage.outputAudio = take(out.audio, &rest)
    usage[.outputImage] = take(out.image, &rest)
    usage[.outputVideo] = take(out.video, &rest)
    usage.outputText = rest
    // A total above its parts is output that was not named: it is billed.
    let unnamed = max(0, (count(.total) ?? 0) - prompt - toolUse - candidates - thoughts)
    usage.outputReasoning = thoughts + unnamed
    return (usage, isInconsistent)
  }
}
