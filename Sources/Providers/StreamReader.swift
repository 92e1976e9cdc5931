// Reads an event stream (text/event-stream) while it passes, in any split.
//
// Lines are told apart and their data pushed into the JSON reader at once; only where an event
// might have to be removed are its bytes held, and then no longer than to its end.

/// An event longer than this is not held back; the event that reports usage is far shorter.
let heldBytesMax = 64 * 1024

final class StreamReader<Sink: AnswerSink>: PayloadReader {
  /// Within a line. A field's name is told by its first bytes.
  private enum Place { case lineStart, name, afterColon, data, skip, bom }

  private var reader = JSONReader(sink: Sink(), isStrict: false)
  private let hidesUsage: Bool

  private var place = Place.bom
  private var bomBytes = 0
  /// Bytes of the field's name that match `data` so far; -1: it is another name.
  private var nameMatch = 0
  /// Whether the last byte was a CR, so that a LF belongs to the same line end.
  private var isAfterCR = false
  var lineIsEmpty = true
  var isComment = false

  // The current event.
  var eventHasLines = false
  private var eventHasData = false
  private var isJSON = false
  /// Bytes of `[DONE]` that match so far; -1: it is something else.
  private var doneMatch = 0

  // Relaying, only where usage is hidden.
  var held: [UInt8] = []
  /// The current event is relayed as it comes, because it is too long to be the usage event.
  var isReleased = false
  var lastEventWasHidden = false

  /// - Parameter hidesUsage: whether the event that only reports usage is removed, because the
  ///   gateway asked for it and the caller did not.
  init(hidesUsage: Bool) { self.hidesUsage = hidesUsage }

  /// Of an event that is held back the caller has got nothing.
  var isBetweenEvents: Bool {
    if !held.isEmpty { return !isReleased }
    return lineIsEmpty && !eventHasLines && (place == .lineStart || place == .bom && bomBytes == 0)
  }

  var reading: CallReading { reader.sink.read() }

  /// Reads the next bytes of the stream.
  // A generic class's methods are else called through its sink's witnesses, for every byte.
  @_specialize(where Sink == ChatAnswerSink)
  @_specialize(where Sink == ResponsesAnswerSink)
  @_specialize(where Sink == MessagesAnswerSink)
  @_specialize(where Sink == GeminiAnswerSink)
  @discardableResult
  func feed(_ bytes: UnsafeRawBufferPointer) -> StreamRelay {
    guard hidesUsage else {
      var index = 0
      while index < bytes.count { _ = step(bytes, &index) }
      return .everything
    }
    return feedHiding(bytes)
  }

  /// Ends the stream and returns the bytes of a last, unfinished event that were held back.
  func finish() -> [UInt8] {
    guard eventHasData else {
      defer { held = [] }
      return held
    }
    defer { held = [] }
    return endEvent() && hidesUsage ? [] : held
  }

  // MARK: - Lines

  /// What a step found.
  enum Found {
    case nothing
    /// The line just ended was a comment, or an empty line outside any event.
    case loose
    /// An event ended; true: it only reports usage.
    case event(isUsageOnly: Bool)
    /// A LF that belongs to the CR before it.
    case restOfLineEnd
  }

  /// Reads a run of bytes of one kind, at least one, and moves the index behind it.
  func step(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Found {
    let byte = bytes[index]
    if isAfterCR {
      isAfterCR = false
      if byte == 0x0A {
        index += 1
        return .restOfLineEnd
      }
    }
    if byte == 0x0A || byte == 0x0D {
      isAfterCR = byte == 0x0D
      index += 1
      return endLine()
    }
    switch place {
    case .bom: stepBOM(byte, &index)
    case .lineStart:
      lineIsEmpty = false
      nameMatch = 0
      place = byte == UInt8(ascii: ":") ? .skip : .name
      if place == .skip { isComment = true }
    case .name: stepName(byte, &index)
    case .afterColon:
      place = .data
      beginData()
      if byte == 0x20 { index += 1 }
    case .data: readData(bytes, &index)
    case .skip: index = lineEnd(bytes, from: index)
    }
    return .nothing
  }

  private func stepBOM(_ byte: UInt8, _ index: inout Int) {
    let mark: (UInt8, UInt8, UInt8) = (0xEF, 0xBB, 0xBF)
    let expected = bomBytes == 0 ? mark.0 : bomBytes == 1 ? mark.1 : mark.2
    guard byte == expected else {
      place = bomBytes == 0 ? .lineStart : .skip
      return
    }
    bomBytes += 1
    index += 1
    if bomBytes == 3 { place = .lineStart }
  }

  private func stepName(_ byte: UInt8, _ index: inout Int) {
    let name: StaticString = "data"
    index += 1
    if byte == UInt8(ascii: ":") {
      place = nameMatch == 4 ? .afterColon : .skip
    } else if nameMatch >= 0, nameMatch < 4, byte == name.utf8Start[nameMatch] {
      nameMatch += 1
    } else {
      nameMatch = -1
      place = .skip
    }
  }

  private func endLine() -> Found {
    defer {
      lineIsEmpty = true
      isComment = false
      place = .lineStart
    }
    if lineIsEmpty {
      guard eventHasLines else { return .loose }
      return .event(isUsageOnly: endEvent())
    }
    if isComment { return eventHasLines ? .nothing : .loose }
    eventHasLines = true
    return .nothing
  }

  // MARK: - Data

  private func beginData() {
    eventHasLines = true
    if !eventHasData {
      eventHasData = true
      isJSON = false
      doneMatch = 0
    } else if isJSON {
      // Lines of data are joined by a line feed.
      withUnsafeBytes(of: UInt8(0x0A)) { reader.feed($0) }
    }
  }

  private func readData(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) {
    let end = lineEnd(bytes, from: index)
    if !isJSON { beginDocument(bytes, &index, end) }
    if isJSON, index < end {
      reader.feed(UnsafeRawBufferPointer(rebasing: bytes[index..<end]))
    }
    index = end
  }

  /// Tells `[DONE]` from a JSON document by the first bytes.
  private func beginDocument(
    _ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ end: Int
  ) {
    let done: StaticString = "[DONE]"
    while index < end, doneMatch >= 0 {
      let byte = bytes[index]
      if doneMatch == 0, byte == UInt8(ascii: "{") {
        isJSON = true
        reader.restart()
        reader.sink.beginDocument()
        return
      }
      index += 1
      let isSpace = byte == 0x20 || byte == 0x09
      if isSpace, doneMatch == 0 || doneMatch == 6 { continue }
      doneMatch = doneMatch < 6 && byte == done.utf8Start[doneMatch] ? doneMatch + 1 : -1
    }
  }

  /// Ends the current event; true where it only reports usage.
  private func endEvent() -> Bool {
    defer {
      eventHasLines = false
      eventHasData = false
      isJSON = false
      doneMatch = 0
    }
    guard eventHasData else { return false }
    if !isJSON {
      if doneMatch == 6 { reader.sink.noteDone() }
      return false
    }
    return reader.isDone && reader.sink.isUsageOnly
  }
}
