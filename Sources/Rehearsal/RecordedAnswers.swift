// The recorded answers, read once at the start and cut where the request's model goes in.
// After that an answer is two or three copies of bytes: a benchmark needs an upstream that is fast.

import Foundation

/// The wire formats that can be rehearsed; the raw value is the folder's name.
public enum RehearsalDialect: String, Sendable, CaseIterable {
  case openai, anthropic, gemini

  /// The key whose value becomes the request's model.
  var modelKey: String { self == .gemini ? "\"modelVersion\"" : "\"model\"" }
}

/// Bytes with a gap for the model.
struct Template: Sendable {
  /// What stands before, between and after the gaps: one more than there are gaps.
  let parts: [[UInt8]]

  /// Cuts every value of the key out of the text; an escaped quote does not occur in model names.
  init(_ text: String, modelKey: String) {
    var parts: [[UInt8]] = []
    var rest = text[...]
    while let key = rest.range(of: modelKey),
      let open = rest[key.upperBound...].firstIndex(where: { $0 != ":" && $0 != " " }),
      rest[open] == "\"",
      let close = rest[rest.index(after: open)...].firstIndex(of: "\"")
    {
      parts.append(Array(rest[...open].utf8))
      rest = rest[close...]
    }
    parts.append(Array(rest.utf8))
    self.parts = parts
  }

  /// The bytes with the model put in.
  func filled(_ model: [UInt8]) -> [UInt8] {
    var bytes = parts[0]
    for part in parts.dropFirst() {
      bytes += model
      bytes += part
    }
    return bytes
  }
}

/// One recorded answer: the JSON body and the events of the stream.
struct RecordedAnswer: Sendable {
  struct Event: Sendable {
    /// As recorded, with its line ends.
    let asked: Template
    /// Without the usage that OpenAI sends only when asked; nil: the event is left out.
    let unasked: Template?
  }

  let name: String
  let body: Template
  let events: [Event]
}

/// All answers of one dialect.
struct DialectAnswers: Sendable {
  let dialect: RehearsalDialect
  /// Sorted by name, so that a choice by hash is the same everywhere.
  let answers: [RecordedAnswer]
  /// The body of a rehearsed error by status.
  let errors: [Int: [UInt8]]

  static let errorStatuses = [429, 500]

  init(dialect: RehearsalDialect, directory: String) throws(RehearsalFault) {
    self.dialect = dialect
    let folder = directory + "/" + dialect.rawValue
    let files = try Self.files(folder)
    var answers: [RecordedAnswer] = []
    for name in Set(files.compactMap(Self.answerName)).sorted() {
      let body = try Self.text("\(folder)/\(name).json")
      let stream = try Self.text("\(folder)/\(name).sse")
      answers.append(try Self.answer(name, dialect, body: body, stream: stream, folder: folder))
    }
    if answers.isEmpty {
      throw RehearsalFault(
        .recordingMissing, "no recorded answer in \(folder)", hint: Self.restoreHint)
    }
    var errors: [Int: [UInt8]] = [:]
    for status in Self.errorStatuses {
      errors[status] = Array(try Self.text("\(folder)/error-\(status).json").utf8)
    }
    self.answers = answers
    self.errors = errors
  }

  private static let restoreHint =
    "restore samples/recorded from the repository, or name the folder that has the recordings"

  private static func files(_ folder: String) throws(RehearsalFault) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw RehearsalFault(
        .recordingMissing, "no folder of recorded answers at \(folder)", hint: restoreHint)
    }
  }

  private static func answerName(_ file: String) -> String? {
    guard !file.hasPrefix("error-") else { return nil }
    for ending in [".json", ".sse"] where file.hasSuffix(ending) {
      return String(file.dropLast(ending.count))
    }
    return nil
  }

  private static func text(_ path: String) throws(RehearsalFault) -> String {
    guard FileManager.default.fileExists(atPath: path) else {
      throw RehearsalFault(.recordingMissing, "\(path) is missing", hint: restoreHint)
    }
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw RehearsalFault(
        .recordingUnreadable, "\(path) cannot be read as UTF-8 text", hint: restoreHint,
        cause: error)
    }
  }

  private static func answer(
    _ name: String, _ dialect: RehearsalDialect, body: String, stream: String, folder: String
  ) throws(RehearsalFault) -> RecordedAnswer {
    guard (try? JSONSerialization.jsonObject(with: Data(body.utf8))) is [String: Any] else {
      throw RehearsalFault(
        .recordingUnreadable, "\(folder)/\(name).json is not a JSON object", hint: restoreHint)
    }
    let events = events(stream).map { event in
      let text = event.replacing(",\"usage\":null", with: "")
      // The extra chunk is the one without choices.
      let isExtra = dialect == .openai && event.contains("\"choices\":[]")
      return RecordedAnswer.Event(
        asked: Template(event, modelKey: dialect.modelKey),
        unasked: isExtra
          ? nil
          : Template(dialect == .openai ? text : event, modelKey: dialect.modelKey))
    }
    guard !events.isEmpty else {
      throw RehearsalFault(
        .recordingUnreadable, "\(folder)/\(name).sse has no event", hint: restoreHint)
    }
    return RecordedAnswer(
      name: name, body: Template(body, modelKey: dialect.modelKey), events: events)
  }

  /// The events of a stream, each with the empty line that ends it.
  private static func events(_ stream: String) -> [String] {
    // In Swift CR LF is one character: lines end where a character is a new line.
    var events: [String] = []
    var event = ""
    var lineIsEmpty = true
    for character in stream {
      event.append(character)
      guard character.isNewline else {
        lineIsEmpty = false
        continue
      }
      if lineIsEmpty {
        events.append(event)
        event = ""
      }
      lineIsEmpty = true
    }
    if !event.isEmpty { events.append(event) }
    return events
  }
}
