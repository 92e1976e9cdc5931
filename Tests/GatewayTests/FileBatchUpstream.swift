// A provider of batches whose requests stand in a file, as tests script it.

import Synchronization

/// An upstream with a file of requests, which makes a batch and says of it and of its results what
/// the test says.
final class FileBatchUpstream: Sendable {
  private final class Said: Sendable {
    let input = Mutex<[ScriptedUpstream.Step]>([])
    let batch = SaidAnswers()
    let results = SaidAnswers()
  }

  private let said = Said()
  private let server: ScriptedUpstream
  var port: Int { server.port }
  var requests: [ScriptedUpstream.Request] { server.requests }
  var closesSeen: Int { server.closesSeen }

  /// - Parameter made: what creating a batch is answered with.
  convenience init(made: String = FileBatchUpstream.document("validating")) throws {
    try self.init(making: [.send(Script.json(made))])
  }

  /// - Parameter steps: what happens where a batch is to be made.
  init(making steps: [ScriptedUpstream.Step]) throws {
    let said = said
    server = try ScriptedUpstream { request in
      if request.head.hasPrefix("POST") { return steps }
      if request.head.contains("/files/file-in/content") { return said.input.withLock { $0 } }
      let isResult = request.head.contains("/files/file-out/content")
      let answer = isResult ? said.results.next() : said.batch.next()
      return answer.contains("Content-Length") ? [.send(answer)] : [.send(answer), .close]
    }
  }

  /// The requests that a batch of the file makes.
  func hold(_ lines: String...) { hold([.send(Self.lines(lines.joined(separator: "\n")))]) }

  func hold(_ steps: [ScriptedUpstream.Step]) { said.input.withLock { $0 = steps } }

  /// What is said from now on, one answer after the other; the last one for ever.
  func say(_ batch: String..., results: String...) {
    said.batch.set(batch.map { Script.json($0) })
    said.results.set(results)
  }

  func say(_ batch: String, results: [String]) {
    said.batch.set([Script.json(batch)])
    said.results.set(results)
  }

  /// How often a batch was asked for.
  var creations: Int { requests.count { $0.head.hasPrefix("POST") } }
  var reads: [ScriptedUpstream.Request] { requests.filter { $0.head.contains("/files/") } }

  static func document(
    _ status: String, completed: Int = 0, output: String? = nil,
    endpoint: String = "/v1/chat/completions"
  ) -> String {
    #"{"id":"batch_1","object":"batch","endpoint":"\#(endpoint)","status":"\#(status)","#
      + #""input_file_id":"file-in","#
      + #""output_file_id":\#(output.map { "\"\($0)\"" } ?? "null"),"error_file_id":"file-e","#
      + #""request_counts":{"total":9,"completed":\#(completed),"failed":0}}"#
  }

  static func ended(_ count: Int, _ status: String = "completed") -> String {
    document(status, completed: count, output: "file-out")
  }

  static func line(
    _ model: String, most: Int? = 20, more: String = "", url: String = "/v1/chat/completions"
  ) -> String {
    #"{"custom_id":"x","method":"POST","url":"\#(url)","body":\#(body(model, most, more))}"#
  }

  static func body(_ model: String, _ most: Int?, _ more: String = "") -> String {
    let bound = most.map { #","max_completion_tokens":\#($0)"# } ?? ""
    return #"{"model":"\#(model)"\#(bound)\#(more),"#
      + #""messages":[{"role":"user","content":"hi"}]}"#
  }

  static func result(_ model: String?, input: Int, output: Int, tier: String? = nil) -> String {
    let name = model.map { #""model":"\#($0)","# } ?? ""
    let served = tier.map { #""service_tier":"\#($0)","# } ?? ""
    return #"{"custom_id":"x","response":{"status_code":200,"body":{\#(name)\#(served)"usage":"#
      + #"{"prompt_tokens":\#(input),"completion_tokens":\#(output)}}},"error":null}"# + "\n"
  }

  static let failed =
    #"{"custom_id":"y","response":{"status_code":400,"body":{"error":{}}},"error":null}"# + "\n"

  static func lines(_ text: String) -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: "
      + "\(text.utf8.count)\r\n\r\n\(text)"
  }
}
