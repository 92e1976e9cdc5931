// A libFuzzer target for each parser of requests and of answers; scripts/fuzz-parsers builds and
// runs it. The environment variable LEEWAY_PARSER names one: `messages.request`, `responses.json`,
// `converseStream.stream`.
//
// What must hold of any bytes: no trap and no access out of bounds; the same reading in every
// split; counts that are not below zero; a bound that is put into a request is read back from it.

import Foundation
import Metering

@testable import Providers

private struct Parser {
  enum Kind: String, CaseIterable { case request, json, stream }

  var operation: Providers.Operation
  var kind: Kind

  static let chosen: Parser = {
    let name = ProcessInfo.processInfo.environment["LEEWAY_PARSER"] ?? ""
    let parts = name.split(separator: ".").map(String.init)
    let operation = Providers.Operation.allCases.first { "\($0)" == parts.first }
    guard let operation, parts.count == 2, let kind = Kind(rawValue: parts[1]) else {
      let names = Providers.Operation.allCases.flatMap { operation in
        Kind.allCases.map { "\(operation).\($0.rawValue)" }
      }
      FileHandle.standardError.write(
        Data("LEEWAY_PARSER must be one of: \(names.joined(separator: " "))\n".utf8))
      exit(64)
    }
    return Parser(operation: operation, kind: kind)
  }()

  func check(_ bytes: UnsafeRawBufferPointer) {
    kind == .request ? checkRequest(bytes) : checkAnswer(bytes)
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
    // The first byte says where the pieces are cut.
    let step = Int(bytes.first ?? 0) % 61 + 1
    let parts = reader()
    for start in stride(from: 0, to: bytes.count, by: step) {
      parts.feed(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + step, bytes.count)]))
    }
    _ = parts.finish()
    precondition(whole.reading == parts.reading, "pieces of \(step) bytes are read otherwise")
    for usage in [whole.reading.usage].compactMap({ $0 }) + whole.reading.otherModels.map(\.usage) {
      usage.forEachCount { precondition($1 > 0, "\($0) is \($1)") }
    }
    _ = operation.outputText(of: Array(bytes), isStream: kind == .stream)
  }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  Parser.chosen.check(UnsafeRawBufferPointer(start: data, count: count))
  return 0
}
