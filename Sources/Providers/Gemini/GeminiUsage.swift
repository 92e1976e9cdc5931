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

    mutating func add(_ modality: Modality, _ count: Int64) {
      switch modality {
      case .image: image = min(image + count, OpenAIUsage.countMax)
      case .video: video = min(video + count, OpenAIUsage.countMax)
      case .audio: audio = min(audio + count, OpenAIUsage.countMax)
      // Documents are billed as text.
      case .text, .document, .unknown: break
      }
    }

    var sum: Int64 { image + video + audio }
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
    lists[Int(list.rawValue)].add(modality, count)
  }

  private func count(_ field: Field) -> Int64? { counts[Int(field.rawValue)] }
  private func modalities(_ list: List) -> Modalities { lists[Int(list.rawValue)] }

  /// The figures in disjoint buckets; nil where neither prompt nor total was said, or where the
  /// output was not although there was some.
  ///
  /// - Parameter hasOutput: the model was seen to say something. An answer can come without its
  ///   output's figures (some models' do; a field mask takes them out): it is not free for that.
  func normalised(hasOutput: Bool) -> (usage: Usage, isInconsistent: Bool)? {
    guard count(.prompt) != nil || count(.total) != nil else { return nil }
    let prompt = count(.prompt) ?? 0
    let toolUse = count(.toolUse) ?? 0
    let candidates = count(.candidates) ?? 0
    let thoughts = count(.thoughts) ?? 0
    let named = prompt + toolUse + candidates + thoughts
    let total = count(.total) ?? named
    let saysOutput = count(.candidates) != nil || count(.thoughts) != nil || total > named
    guard saysOutput || !hasOutput else { return nil }
    let output = candidates + thoughts + max(0, total - named)
    var isInconsistent = isInconsistent || total < named || hasOutput && output == 0
    var usage = Usage(source: .reported)
    takeInput(prompt: prompt, toolUse: toolUse, into: &usage, &isInconsistent)
    let out = modalities(.candidates)
    if out.sum > candidates { isInconsistent = true }
    var rest = candidates
    usage.outputAudio = Self.take(out.audio, &rest)
    usage[.outputImage] = Self.take(out.image, &rest)
    usage[.outputVideo] = Self.take(out.video, &rest)
    usage.outputText = rest
    // A total above its parts is output that was not named: it is billed.
    usage.outputReasoning = thoughts + max(0, total - named)
    return (usage, isInconsistent)
  }

  /// Kinds of cached tokens are among those of the prompt, and are billed once. Cached tokens whose
  /// kind is not said count as text, so that the prompt's kinds may not all fit beside them.
  private func takeInput(
    prompt: Int64, toolUse: Int64, into usage: inout Usage, _ isInconsistent: inout Bool
  ) {
    let (of, from, tool) = (modalities(.prompt), modalities(.cached), modalities(.toolUse))
    var cached = count(.cached) ?? 0
    // More cached than there was input is no reason for the cached rate.
    if cached > prompt { (isInconsistent, cached) = (true, 0) }
    if of.sum > prompt || from.sum > cached || tool.sum > toolUse { isInconsistent = true }
    var rest = cached
    usage[.cacheReadAudio] = Self.take(from.audio, &rest)
    usage[.cacheReadImage] = Self.take(from.image, &rest)
    usage.cacheRead = rest
    rest = prompt - cached
    var toolRest = toolUse
    usage.inputAudio =
      Self.take(max(0, of.audio - usage[.cacheReadAudio]), &rest)
      + Self.take(tool.audio, &toolRest)
    usage.inputImage =
      Self.take(max(0, of.image - usage[.cacheReadImage]), &rest)
      + Self.take(tool.image, &toolRest)
    usage[.inputVideo] =
      Self.take(max(0, of.video - min(from.video, usage.cacheRead)), &rest)
      + Self.take(tool.video, &toolRest)
    usage.inputUncached = rest + toolRest
  }

  private static func take(_ part: Int64, _ rest: inout Int64) -> Int64 {
    let taken = min(part, rest)
    rest -= taken
    return taken
  }
}
