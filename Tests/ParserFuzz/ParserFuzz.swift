// A libFuzzer target for each parser of requests and of answers; scripts/fuzz-parsers builds and
// runs it. The environment variable LEEWAY_PARSER names one: `messages.request`, `responses.json`,
// `converseStream.stream`, `chatCompletions.lines` (a batch's file of requests),
// `responses.results` (one of answers), `websocket.frames`, `websocket.messages` (a line each),
// `coded.gzip`, `coded.deflate`, `reconcile.export`, `prices.table`.
//
// What must hold of any bytes: no trap and no access out of bounds; the same reading in every
// split; counts that are not below zero; a bound that is put into a request is read back from it.

import Foundation
import Metering
import Wire

@testable import Providers

private enum Target {
  case parser(Parser)
  case other(@Sendable (UnsafeRawBufferPointer) -> Void)

  private static let others: [(name: String, check: @Sendable (UnsafeRawBufferPointer) -> Void)] = [
    ("websocket.frames", { Frames.check($0) }), ("websocket.messages", { Messages.check($0) }),
    ("coded.gzip", { Coded.check($0, .gzip) }), ("coded.deflate", { Coded.check($0, .deflate) }),
    ("reconcile.export", { Files.checkExport($0) }), ("prices.table", { Files.checkPrices($0) }),
  ]

  static let chosen: Target = {
    let name = ProcessInfo.processInfo.environment["LEEWAY_PARSER"] ?? ""
    if let other = others.first(where: { $0.name == name }) { return .other(other.check) }
    if let parser = Parser(named: name) { return .parser(parser) }
    let names = Parser.names + others.map(\.name)
    FileHandle.standardError.write(
      Data("LEEWAY_PARSER must be one of: \(names.joined(separator: " "))\n".utf8))
    exit(64)
  }()

  func check(_ bytes: UnsafeRawBufferPointer) {
    switch self {
    case .parser(let parser): parser.check(bytes)
    case .other(let check): check(bytes)
    }
  }
}

/// Messages of a provider over a WebSocket, one a line: the same events in every split.
private enum Messages {
  static func check(_ bytes: UnsafeRawBufferPointer) {
    func events(_ pieces: ((UnsafeRawBufferPointer) -> Void) -> Void) -> [RealtimeEvent] {
      let reader = RealtimeReader()
      var events: [RealtimeEvent] = []
      pieces { piece in
        forEachLinePiece(of: piece) { part, endsMessage in
          reader.feed(part)
          if endsMessage, let event = reader.endMessage() { events.append(event) }
        }
      }
      return events
    }
    let whole = events { $0(bytes) }
    precondition(whole == events { forEachPiece(of: bytes, $0) }, "pieces are read otherwise")
    for case .responseEnded(let reading) in whole {
      reading.usage?.forEachCount { precondition($1 > 0, "\($0) is \($1)") }
    }
  }
}

/// Coded bodies: the same content and the same fault in every split, within the bound.
private enum Coded {
  private static let outputBytesMax = 100_000

  static func check(_ bytes: UnsafeRawBufferPointer, _ format: Inflate.Format) {
    func read(_ pieces: ((UnsafeRawBufferPointer) -> Void) -> Void) -> (
      content: [UInt8], fault: InflateFault?, isWhole: Bool
    ) {
      var inflate = Inflate(format, outputBytesMax: outputBytesMax)
      var content: [UInt8] = []
      pieces { piece in try? inflate.feed(piece) { content += $0 } }
      return (content, inflate.fault, inflate.isWhole)
    }
    let whole = read { $0(bytes) }
    precondition(whole == read { forEachPiece(of: bytes, $0) }, "pieces are read otherwise")
    precondition(whole.content.count <= outputBytesMax)
  }
}

/// Frames of a WebSocket: the same messages in every split, and no byte in two of them.
private struct Frames: Equatable {
  private var reader = WebSocketReader()
  private var payloads: [[UInt8]] = []
  private var ends: [String] = []
  private var isBroken = false

  static func == (left: Frames, right: Frames) -> Bool {
    left.payloads == right.payloads && left.ends == right.ends && left.isBroken == right.isBroken
  }

  static func check(_ bytes: UnsafeRawBufferPointer) {
    var (whole, parts) = (Frames(), Frames())
    whole.feed(bytes)
    forEachPiece(of: bytes) { parts.feed($0) }
    precondition(whole == parts, "pieces are read otherwise")
    precondition(whole.payloads.joined().count <= bytes.count)
  }

  private mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while !isBroken {
      do throws(WebSocketFault) {
        switch try reader.next(bytes, offset: &offset) {
        case .payload(let range, _):
          precondition(range.upperBound == offset && !range.isEmpty)
          if payloads.count == ends.count { payloads.append([]) }
          payloads[payloads.count - 1] += bytes[range]
        case .frameEnd(let kind, let endsMessage):
          if payloads.count == ends.count { payloads.append([]) }
          ends.append("\(kind) \(endsMessage)")
        case .needsMore:
          precondition(offset == bytes.count)
          return
        }
      } catch {
        isBroken = true
      }
    }
  }
}

/// The first byte says where the pieces are cut.
private func forEachPiece(
  of bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void
) {
  let step = Int(bytes.first ?? 0) % 61 + 1
  for start in stride(from: 0, to: bytes.count, by: step) {
    take(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + step, bytes.count)]))
  }
}

private struct Parser {
  enum Kind: String, CaseIterable {
    case request, json, stream, lines, results

    /// Whether such an operation has such a text.
    func isOf(_ operation: Providers.Operation) -> Bool {
      switch self {
      case .request, .json, .stream: true
      case .lines, .results: Parser.results(of: operation) != nil
      }
    }
  }

  var operation: Providers.Operation
  var kind: Kind

  init?(named name: String) {
    let parts = name.split(separator: ".").map(String.init)
    let operation = Providers.Operation.allCases.first { "\($0)" == parts.first }
    guard let operation, parts.count == 2, let kind = Kind(rawValue: parts[1]),
      kind.isOf(operation)
    else { return nil }
    (self.operation, self.kind) = (operation, kind)
  }

  static var names: [String] {
    Providers.Operation.allCases.flatMap { operation in
      Kind.allCases.filter { $0.isOf(operation) }.map { "\(operation).\($0.rawValue)" }
    }
  }

  func check(_ bytes: UnsafeRawBufferPointer) {
    switch kind {
    case .request: checkRequest(bytes)
    case .json, .stream: checkAnswer(bytes)
    case .lines: checkLines(bytes)
    case .results: checkResults(bytes)
    }
  }

  private func checkRequest(_ bytes: UnsafeRawBufferPointer) {
    let path = path(for: bytes)
    let body = Array(bytes)
    let form = form(for: bytes)
    guard let request = try? operation.peek(body, path: path, form: form) else { return }
    precondition(request.inputTokensMax >= 0 && request.choices >= 1)
    _ = operation.inputText(of: body)
    let result = request.splices(outputBound: 7).applied(to: body)
    guard let again = try? operation.peek(result, path: path, form: form) else {
      fatalError("a splice made a body that is not taken")
    }
    if request.outputTokensMax == nil, request.outputBoundPlace != nil {
      let wanted = max(7, request.foreignOutputTokens)
      precondition(again.outputTokensPerChoice == wanted, "the bound is not read back")
    }
    precondition(again.usageSplice == nil, "the usage is asked for twice")
  }

  /// A path that names a model where the dialect looks for it. InvokeModel's bodies have the form
  /// of the model's maker: the body's first byte and its length pick one.
  private func path(for bytes: UnsafeRawBufferPointer) -> String {
    guard operation.hasCostInHead else { return "/model/m/models/m:generateContent?model=m" }
    let models = [
      "anthropic.claude-x", "amazon.nova-x", "meta.llama-x", "mistral.x", "openai.x", "qwen.x",
      "cohere.command-x", "cohere.command-r-x", "cohere.embed-x", "amazon.titan-embed-text-x", "x",
    ]
    return "/model/\(models[(Int(bytes.first ?? 0) &+ bytes.count) % models.count])/invoke"
  }

  /// A body that begins as a form does is one, if the operation takes any.
  private func form(for bytes: UnsafeRawBufferPointer) -> RequestForm {
    operation.takesForm && bytes.starts(with: "--b".utf8) ? .multipart(boundary: [0x62]) : .json
  }

  private func reader() -> any PayloadReader {
    kind == .json ? operation.answerReader() : operation.streamReader(hidesUsage: false)
  }

  private func checkAnswer(_ bytes: UnsafeRawBufferPointer) {
    let whole = reader()
    whole.feed(bytes)
    _ = whole.finish()
    let parts = reader()
    forEachPiece(of: bytes) { parts.feed($0) }
    _ = parts.finish()
    precondition(whole.reading == parts.reading, "pieces are read otherwise")
    for usage in [whole.reading.usage].compactMap({ $0 }) + whole.reading.otherModels.map(\.usage) {
      usage.forEachCount { precondition($1 > 0, "\($0) is \($1)") }
    }
    _ = operation.outputText(of: Array(bytes), isStream: kind == .stream)
  }

  // MARK: Batches

  private func checkLines(_ bytes: UnsafeRawBufferPointer) {
    let input = BatchInput(fileID: "f", endpoint: .metered(operation))
    func read(_ pieces: ((UnsafeRawBufferPointer) -> Void) -> Void) -> (
      [PeekedRequest], [Int], String?
    ) {
      var reader = BatchInputReader(input, lineBytesMax: 1_000)
      var requests: [PeekedRequest] = []
      var lines: [Int] = []
      func take(_ request: PeekedRequest, _: UnsafeRawBufferPointer, _ line: Int) {
        precondition(request.inputTokensMax >= 0 && request.choices >= 1)
        requests.append(request)
        lines.append(line)
      }
      pieces { reader.feed($0, take) }
      reader.finish(take)
      return (requests, lines, reader.fault?.message)
    }
    let whole = read { $0(bytes) }
    precondition(whole == read { forEachPiece(of: bytes, $0) }, "pieces are read otherwise")
  }

  private static func results(of operation: Providers.Operation) -> JobResultsReader? {
    JobResultsReader(operation == .messages ? .messageBatch : .batch, operation)
  }

  private func checkResults(_ bytes: UnsafeRawBufferPointer) {
    func read(_ pieces: ((UnsafeRawBufferPointer) -> Void) -> Void) -> (
      [CallReading], Int64, Bool
    )? {
      guard var reader = Self.results(of: operation) else { return nil }
      var readings: [CallReading] = []
      pieces { reader.feed($0) { readings.append($0) } }
      reader.finish { readings.append($0) }
      return (readings, reader.answered, reader.isBroken)
    }
    guard let whole = read({ $0(bytes) }),
      let parts = read({ forEachPiece(of: bytes, $0) })
    else { return }
    precondition(whole == parts, "pieces are read otherwise")
    for reading in whole.0 {
      reading.usage?.forEachCount { precondition($1 > 0, "\($0) is \($1)") }
    }
  }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  Target.chosen.check(UnsafeRawBufferPointer(start: data, count: count))
  return 0
}
