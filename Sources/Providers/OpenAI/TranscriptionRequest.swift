// A request to write down, or to translate, what a sound says.

import Metering

/// Reads such a request, which is a form.
///
/// A model that is billed by tokens takes no more than its context window, and puts out no more
/// than its maximum; one that is billed by the second is bounded by the file.
enum TranscriptionRequest {
  private enum Key: UInt8, RequestKey, CaseIterable {
    case model, file, stream, prompt
    case chunkingStrategy
    // A sound that lies elsewhere, at servers of the same API.
    case url, fileURL, fileID, audioURL

    static let all = allCases
    var name: StaticString {
      switch self {
      case .model: "model"
      case .file: "file"
      case .stream: "stream"
      case .prompt: "prompt"
      case .chunkingStrategy: "chunking_strategy"
      case .url: "url"
      case .fileURL: "file_url"
      case .fileID: "file_id"
      case .audioURL: "audio_url"
      }
    }
    /// Lists repeat a name, with brackets.
    var otherName: StaticString? { self == .chunkingStrategy ? "chunking_strategy[type]" : nil }
  }

  /// Some servers bill no less than ten seconds, all of them whole ones.
  static let millisecondsMin: Int64 = 10_000

  static func peek(
    _ body: UnsafeRawBufferPointer, form: RequestForm, deployment: String?
  ) throws(PeekFault) -> PeekedRequest {
    guard case .multipart(let boundary) = form else { throw .formUnknown }
    var form = MultipartForm(body, boundary: boundary)
    var fields = FormFields<Key>()
    var request = PeekedRequest()
    var media = MediaUnits(
      uncounted: .init(
        bucket: .audioInMilliseconds,
        part: "a sound whose file does not bound its length (WAV with plain samples and MP3 do)",
        isBoundByTokens: true))
    request.fillsContext = true
    while let part = try form.next() {
      guard let key = try fields.key(of: part, repeats: { _ in false }) else {
        if part.isFile { request.unboundablePart = request.unboundablePart ?? "a second file" }
        continue
      }
      switch key {
      case .file:
        guard part.isFile else { throw .wrong("file", "a file", at: part.offset) }
        if let length = SoundLength.milliseconds(of: part.content) {
          let seconds = (max(length, millisecondsMin) + 999) / 1_000
          media = MediaUnits(alternatives: [UsageCount(.audioInMilliseconds, seconds * 1_000)])
        }
      case .model: request.model = try fields.text(of: part, key)
      case .stream: request.isStream = try fields.flag(of: part, key)
      case .prompt: _ = try fields.text(of: part, key)
      case .chunkingStrategy, .url, .fileURL, .fileID, .audioURL:
        // Each piece may fill the context window once more, and another file hold anything.
        request.unboundablePart = request.unboundablePart ?? "'\(key.name)'"
      }
    }
    request.media = media
    return request.of(deployment)
  }
}
