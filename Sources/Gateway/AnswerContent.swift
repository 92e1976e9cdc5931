// What an answer tells while it passes: its payload is read for usage and text, behind its content
// coding where it has one.
//
// A coded payload is read from a side copy that exists in pieces of 32 KiB only; the caller gets
// the payload as it came. That is why a coded stream keeps the usage event that the caller did not
// ask for: to take it out would mean to code the rest anew, and then these are no more the bytes
// that the provider sent.

import NIOCore
import Providers
import Wire

/// The reader of one answer's payload.
struct AnswerContent {
  private enum Decoding {
    /// The payload is the content.
    case plain
    case inflating(Inflate)
    /// The coding is unknown, or the payload broke its rules: nothing of it is believed.
    case unreadable
  }

  /// How the content is read.
  enum Kind { case json, stream(hidesUsage: Bool) }

  let coding: ContentCoding
  /// The caller may get less than the payload.
  let mayShorten: Bool
  private let reader: (any PayloadReader)?
  let isStream: Bool
  private var decoding = Decoding.plain
  /// Payload bytes of a coded answer.
  private var codedBytes: Int64 = 0

  /// An answer of which nothing is read.
  init() {
    coding = .identity
    mayShorten = false
    reader = nil
    isStream = false
  }

  /// - Parameter decodedBytesMax: the most bytes of content read of a coded answer; a longer one
  ///   is a decompression bomb and counts as unreadable.
  init(_ kind: Kind, of operation: Operation, coding: ContentCoding, decodedBytesMax: Int) {
    self.coding = coding
    if coding == .identity {
      decoding = .plain
    } else if let format = coding.inflateFormat {
      decoding = .inflating(Inflate(format, outputBytesMax: decodedBytesMax))
    } else {
      decoding = .unreadable
    }
    switch kind {
    case .json:
      mayShorten = false
      isStream = false
      reader = operation.answerReader()
    case .stream(let hidesUsage):
      mayShorten = hidesUsage && coding == .identity
      isStream = true
      reader = operation.streamReader(hidesUsage: mayShorten)
    }
  }

  /// The answer cannot be read, so that its call is charged as estimated.
  var isUnreadable: Bool { if case .unreadable = decoding { true } else { false } }

  /// All that the answer told, valid at any moment. Of one that cannot be read no figure is
  /// believed; its length, or that of the text seen in it, is what an estimate can rest on.
  var reading: CallReading {
    let reading = reader?.reading ?? CallReading()
    guard isUnreadable else { return reading }
    var unbelieved = CallReading()
    unbelieved.outputTextBytes = max(reading.outputTextBytes, codedBytes)
    return unbelieved
  }

  /// An event of ours may follow what the caller has got.
  var isBetweenEvents: Bool {
    guard case .plain = decoding, isStream else { return false }
    return reader?.isBetweenEvents == true
  }

  // MARK: Feeding

  /// Reads the next payload bytes and copies their content to the sample.
  /// - Returns: what of the payload the caller gets.
  mutating func read(
    _ payload: UnsafeRawBufferPointer, sample: inout AnswerSample
  ) -> StreamRelay {
    switch decoding {
    case .plain:
      sample.append(payload)
      return take(payload)
    case .inflating(var inflate):
      // Emptied first: else the decoder would be copied on its first change.
      decoding = .unreadable
      decode(payload, &inflate, &sample)
    case .unreadable: sample.abandon()
    }
    codedBytes += Int64(payload.count)
    return .everything
  }

  private mutating func decode(
    _ payload: UnsafeRawBufferPointer, _ inflate: inout Inflate, _ sample: inout AnswerSample
  ) {
    do throws(InflateFault) {
      try inflate.feed(payload) { content in
        sample.append(content)
        _ = take(content)
      }
      decoding = .inflating(inflate)
    } catch {
      sample.abandon()
    }
  }

  private mutating func take(_ content: UnsafeRawBufferPointer) -> StreamRelay {
    reader?.feed(content) ?? .everything
  }

  /// The payload is over.
  /// - Returns: bytes that were held back and that the caller gets after all.
  mutating func end(sample: inout AnswerSample) -> [UInt8] {
    let rest = reader?.finish() ?? []
    // Some senders forget the end of the coding. Usage that was read before it stands.
    if case .inflating(let inflate) = decoding, !inflate.isWhole, reading.usage == nil {
      decoding = .unreadable
      sample.abandon()
    }
    return rest
  }
}
