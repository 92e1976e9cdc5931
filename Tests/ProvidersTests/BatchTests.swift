// Batches of OpenAI's: where their requests stand, each request in every split, progress, results.

import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct BatchTests {
  private static func peek(_ text: String) throws -> PeekedRequest {
    try Providers.Operation.batches.peek(Array(text.utf8))
  }

  // MARK: Its creation

  @Test(arguments: [
    ("/v1/chat/completions", Endpoint.metered(.chatCompletions)),
    ("/chat/completions", .metered(.chatCompletions)), ("/v1/responses", .metered(.responses)),
    ("/v1/completions", .metered(.completions)), ("/v1/embeddings", .metered(.embeddings)),
    ("/v1/images/edits", .metered(.images)), ("/v1/moderations", .free),
  ])
  func itSaysWhereItsRequestsStand(endpoint: String, wanted: Endpoint) throws {
    let batch = try Self.peek(
      #"{"completion_window":"24h","endpoint":"\#(endpoint)","input_file_id":"file-a_9","#
        + #""metadata":{"input_file_id":"file-b"},"input_blob":null}"#)
    #expect(batch.jobKind == .batch && batch.unboundablePart == nil && batch.parts.isEmpty)
    #expect(batch.batchInput == BatchInput(fileID: "file-a_9", endpoint: wanted))
  }

  @Test(arguments: [
    (#"{"input_file_id":"f","endpoint":"/v1/videos"}"#, "endpoint"),
    (#"{"input_file_id":"f","endpoint":"/v1/Embeddings"}"#, "endpoint"),
    (#"{"input_file_id":"f","endpoint":"/openai/deployments/d/embeddings"}"#, "endpoint"),
    (#"{"input_file_id":"f"}"#, "endpoint"), (#"{"endpoint":"/v1/embeddings"}"#, "input_file_id"),
    (#"{"input_file_id":null,"endpoint":"/v1/embeddings"}"#, "input_file_id"),
    (#"{"input_file_id":"f","endpoint":"/v1/embeddings","input_blob":"x"}"#, "'input_blob'"),
    (#"{"input_file_id":"f","endpoint":"/v1/embeddings","model":"m"}"#, "'model'"),
    (#"{"input_file_id":"f","endpoint":"/v1/embeddings","requests":[]}"#, "'requests'"),
  ])
  func whatCannotBeReadHasNoBound(body: String, part: String) throws {
    let batch = try Self.peek(body)
    #expect(batch.unboundablePart?.contains(part) == true && batch.batchInput == nil)
    #expect(batch.jobKind == .batch)
  }

  @Test(arguments: [
    (#"{"input_file_id":"a/../b"}"#, "must be 1 to 128"), (#"{"input_file_id":""}"#, "must be 1"),
    (#"{"input_file_id":"a?b"}"#, "must be 1 to 128"), (#"{"input_file_id":1}"#, "a string"),
    (#"{"input_file_id":["f"]}"#, "a string"),
    (#"{"input_file_id":"\#(String(repeating: "f", count: 129))"}"#, "must be 1 to 128"),
    (#"{"input_file_id":"f","input_file_id":"g"}"#, "'input_file_id' is said twice"),
    (#"{"Input_file_id":"f"}"#, "differs from 'input_file_id'"), (#"{"endpoint":{}}"#, "a string"),
    (#"{"endpoint":"a","endpoint":"b"}"#, "'endpoint' is said twice"),
    (#"{"input_file_id":"f""#, "ends too early"),
  ])
  func refuses(body: String, reason: String) {
    #expect {
      _ = try Self.peek(body)
    } throws: { ($0 as? PeekFault)?.message.contains(reason) == true }
  }

  @Test(arguments: [
    (#""24h""#, 24), (#""1h""#, 1), (#""7d""#, 168), (#""30d""#, 720), ("null", nil),
  ])
  func itSaysHowLongItMayTake(window: String, hours: Int64?) throws {
    let batch = try Self.peek(
      #"{"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":\#(window)}"#)
    #expect(batch.jobWindowMilliseconds == hours.map { $0 * 3_600_000 })
    #expect(batch.unboundablePart == nil && batch.batchInput != nil)
  }

  @Test(arguments: [
    #""31d""#, #""0h""#, #""721h""#, #""""#, #""h""#, #""24""#, #""+1h""#, #""24H""#, #""１h""#,
    #""P1D""#, "24", "{}",
  ])
  func aWindowThatIsNotUnderstoodIsRefused(window: String) {
    #expect {
      _ = try Self.peek(
        #"{"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":\#(window)}"#)
    } throws: { ($0 as? PeekFault)?.message.contains("'completion_window' must be") == true }
  }

  // MARK: Its requests

  static let chat = BatchInput(fileID: "f", endpoint: .metered(.chatCompletions))

  static func line(_ body: String, url: String = "/v1/chat/completions") -> String {
    #"{"custom_id":"x","method":"POST","url":"\#(url)","body":\#(body)}"#
  }

  static let first = #"{"model":"a","max_tokens":9,"messages":[{"role":"user","content":"é{}"}]}"#
  static let second = #"{"messages":[{"role":"user","content":"\n\"body\":"}],"model":"b"}"#

  private struct Seen: Equatable {
    var requests: [PeekedRequest] = []
    var lines: [Int] = []
    var message: String?
  }

  private static func read(
    _ pieces: [ArraySlice<UInt8>], _ input: BatchInput = chat, lineBytesMax: Int = 4_096
  ) -> Seen {
    var reader = BatchInputReader(input, lineBytesMax: lineBytesMax)
    var seen = Seen()
    func take(_ request: PeekedRequest, _: UnsafeRawBufferPointer, _ line: Int) {
      seen.requests.append(request)
      seen.lines.append(line)
    }
    for piece in pieces { piece.withUnsafeBytes { reader.feed($0, take) } }
    reader.finish(take)
    seen.message = reader.fault?.message
    return seen
  }

  @Test func everyRequestIsPeekedAsIfItStoodAloneInEverySplit() throws {
    let text = Self.line(Self.first) + "\n \n" + Self.line(Self.second) + "\r\n"
    let alone = try [Self.first, Self.second].map {
      try Providers.Operation.chatCompletions.peek(Array($0.utf8))
    }
    for end in ["", "\n", Self.line(Self.first), "\r\n \r\n"] {
      let bytes = Array((text + end).utf8)
      let whole = Self.read([bytes[...]])
      #expect(whole.message == nil && Array(whole.requests.prefix(2)) == alone)
      #expect(whole.lines == (end.contains("a") ? [1, 3, 4] : [1, 3]))
      for split in 0...bytes.count {
        #expect(Self.read([bytes[..<split], bytes[split...]]) == whole, "\(split)")
      }
      #expect(Self.read(bytes.indices.map { bytes[$0...$0] }) == whole)
    }
  }

  @Test(arguments: [
    ("{}", "'url' is not"), (line(first, url: "/v1/embeddings"), "'url' is not"),
    (line(first, url: "/openai/deployments/d/chat/completions"), "'url' is not"),
    (line("[]"), "'body' must be an object"), (line("null"), "'body' must be an object"),
    (#"{"url":"/v1/chat/completions"}"#, "no 'body'"), ("[]", "not a JSON object"),
    (#"{"url":"/v1/chat/completions","Body":{},"body":{}}"#, "differs from 'body'"),
    (#"{"url":"/v1/chat/completions","body":{},"body":{}}"#, "'body' is said twice"),
    (#"{"url":"/v1/chat/completions","method":"GET","body":{}}"#, "'method' must be"),
    (line(#"{"model":"a","model":"b"}"#), "Of its 'body': The request body is refused: 'model'"),
    (line("{}") + line("{}"), "not a JSON object"), ("{\r}", "carriage return"),
    (String(line(first).dropLast()), "ends too early"),
    (line(#"{"x":"\#(String(repeating: "y", count: 5_000))"}"#), "longer than the 4096 bytes"),
  ])
  func aLineThatIsNotTakenIsNamedInEverySplit(line: String, reason: String) {
    let bytes = Array((Self.line(Self.first) + "\n\n" + line + "\n" + Self.line("{}")).utf8)
    let whole = Self.read([bytes[...]])
    let message = whole.message ?? ""
    #expect(message.hasPrefix("Line 3 of the batch's input file: "), "\(message)")
    #expect(message.contains(reason), "\(message)")
    #expect(whole.lines == [1])
    for step in [1, 7, 100] {
      let pieces = stride(from: 0, to: bytes.count, by: step).map {
        bytes[$0..<min($0 + step, bytes.count)]
      }
      #expect(Self.read(pieces) == whole)
    }
  }

  @Test(arguments: ["", "\n\n", "  \r\n"])
  func aFileWithoutARequestIsRefused(text: String) {
    #expect(Self.read([Array(text.utf8)[...]]).message?.contains("has no request") == true)
  }

  @Test(arguments: [
    (#"{"model":"a","stream":true}"#, "/v1/chat/completions", "'stream'"),
    (#"{"model":"a","background":true}"#, "/v1/responses", "'background'"),
    (
      #"{"model":"a","input":"x","previous_response_id":"r"}"#, "/v1/responses", "previous_response"
    ),
    (#"{"model":"a","input":[{}]}"#, "/v1/embeddings", "no text"),
  ])
  func whatARequestDoesNotBoundIsNamed(body: String, url: String, part: String) throws {
    let endpoint = try #require(
      try Self.peek(#"{"input_file_id":"f","endpoint":"\#(url)"}"#).batchInput)
    let seen = Self.read([Array(Self.line(body, url: url).utf8)[...]], endpoint)
    #expect(seen.requests.first?.unboundablePart?.contains(part) == true, "\(seen)")
  }

  @Test func whatIsFreeIsCheckedAndNotTaken() {
    let free = BatchInput(fileID: "f", endpoint: .free)
    let good = Self.line(#"{"input":"x"}"#, url: "/v1/moderations")
    #expect(Self.read([Array(good.utf8)[...]], free) == Seen())
    let other = good + "\n" + Self.line(Self.first)
    #expect(Self.read([Array(other.utf8)[...]], free).message?.hasPrefix("Line 2") == true)
  }

  // MARK: Progress

  static func document(
    _ status: String, completed: Int = 0, output: String = "null",
    endpoint: String = "/v1/chat/completions"
  ) -> String {
    #"{"id":"batch_1","object":"batch","endpoint":"\#(endpoint)","errors":null,"model":"m","#
      + #""input_file_id":"file-in","completion_window":"24h","status":"\#(status)","#
      + #""output_file_id":\#(output),"error_file_id":"file-e","metadata":{"status":"x","#
      + #""completed":7},"request_counts":{"total":9,"completed":\#(completed),"failed":1},"#
      + #""usage":{"input_tokens":5,"output_tokens":6,"total_tokens":11}}"#
  }

  @Test(arguments: [
    ("validating", JobProgress.State.running), ("in_progress", .running), ("finalizing", .running),
    ("cancelling", .running), ("completed", .ended), ("expired", .ended), ("cancelled", .ended),
    ("failed", .ended), ("new", .unknown),
  ])
  func theStatusIsTheStateInEverySplit(status: String, state: JobProgress.State) {
    let text = Self.document(status, completed: 31, output: #""file-out""#)
    let bytes = Array(text.utf8)
    for split in 0...bytes.count {
      let reader = JobReader(.batch)
      Array(bytes[..<split]).withUnsafeBytes { reader.feed($0) }
      if split < bytes.count { #expect(reader.progress.state == .unknown) }
      Array(bytes[split...]).withUnsafeBytes { reader.feed($0) }
      let progress = reader.progress
      #expect(progress.state == state && progress.reading.jobID == "batch_1")
      #expect(progress.resultsNeeded == (state == .ended ? 31 : nil))
      #expect(progress.reading.resultFile == "file-out")
      #expect(progress.reading.files.contains("file-out"))
      #expect(progress.reading.resultOperation == .chatCompletions)
      #expect(progress.reading.usage == nil)
    }
  }

  @Test(arguments: [
    (document("failed"), JobProgress.State.failed, nil as Int64?),
    (document("completed"), .ended, nil), (document("cancelled", output: "\"\""), .ended, nil),
    // Whatever is counted: a file of results is read.
    (document("expired", output: #""file-o""#), .ended, 0),
    (document("completed", completed: 2), .ended, 2),
    (document("completed", completed: 2, output: #""a/b""#), .ended, 2),
    (#"{"id":"b","status":"completed","output_file_id":"f"}"#, .unknown, nil),
    (#"{"error":{"message":"x"}}"#, .unknown, nil),
  ])
  func whatThereIsToRead(text: String, state: JobProgress.State, needed: Int64?) {
    let reader = JobReader(.batch)
    Array(text.utf8).withUnsafeBytes { reader.feed($0) }
    #expect(reader.progress.state == state && reader.progress.resultsNeeded == needed)
  }

  @Test(arguments: [
    (
      #"{"id":"b","input_file_id":"file-1","error_file_id":"file-3","output_file_id":"file-2"}"#,
      ["file-1", "file-3", "file-2"]
    ),
    (#"{"id":"u","file":{"object":"file","id":"file-1","x":{"id":"y"}},"id":"u"}"#, ["file-1"]),
    (#"{"input_file_id":"a/b","output_file_id":"","error_file_id":null,"file":"f"}"#, []),
    (#"{"metadata":{"input_file_id":"file-1","id":"file-2"},"files":{"id":"file-3"}}"#, []),
  ])
  func itsFilesAreThoseThatItNames(text: String, files: [String]) {
    let reader = JobReader(.batch)
    Array(text.utf8).withUnsafeBytes { reader.feed($0) }
    #expect(reader.progress.reading.files == files)
  }

  @Test func aPathNamesWhatAnySpellingOfItDoes() throws {
    func names(_ path: String) -> [String]? {
      Array(path.utf8).withUnsafeBytes { Endpoint.names(in: $0) }
    }
    for path in [
      "/v1/batches/batch_1", "//v1%2fbatches/./batch%5F1/", "/v1/%62atches;x/batch%255f1?",
      "\\v1\\batches\\batch_1%00", "/v1/batches/%25252562atch_1",
    ] {
      let all = try #require(names(path))
      // What is escaped more often than three times is not looked for.
      #expect(all.contains("batch_1") == !path.contains("%252525"), "\(path) \(all)")
    }
    #expect(names("/v1/files/file%2Dab_9%20/content") == ["v1", "files", "file-ab_9", "content"])
    #expect(names(String(repeating: "/a", count: 64))?.count == 64)
    #expect(names(String(repeating: "/a", count: 65)) == nil)
    #expect(names("") == [])
  }

  // MARK: Results

  static func result(_ body: String, status: String = "200") -> String {
    #"{"id":"r","custom_id":"x","response":{"status_code":\#(status),"request_id":"q","body":"#
      + body + #"},"error":null}"# + "\n"
  }

  static let answer =
    #"{"model":"m","choices":[{"message":{"content":"\"response\":{}\n"}}],"service_tier":"x","#
    + #""usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":"#
    + #"{"cached_tokens":3}}}"#

  private static func results(
    _ pieces: [ArraySlice<UInt8>], _ operation: Providers.Operation = .chatCompletions
  ) throws -> (JobResultsReader, [CallReading]) {
    var reader = try #require(JobResultsReader(.batch, operation))
    var readings: [CallReading] = []
    for piece in pieces { piece.withUnsafeBytes { reader.feed($0) { readings.append($0) } } }
    reader.finish { readings.append($0) }
    return (reader, readings)
  }

  @Test func resultsAreReadInEverySplit() throws {
    let failed = Self.result(#"{"error":{"message":"no"},"usage":null}"#, status: "400")
    let unsent = #"{"custom_id":"z","response":null,"error":{"code":"batch_expired"}}"# + "\n"
    let text = Self.result(Self.answer) + failed + "\r\n" + unsent + Self.result(Self.answer)
    let bytes = Array(text.dropLast().utf8)
    for split in 0...bytes.count {
      let (reader, readings) = try Self.results([bytes[..<split], bytes[split...]])
      #expect(reader.answered == 2 && !reader.isBroken, "\(split)")
      #expect(readings.map(\.responseModel) == ["m", "m"])
      #expect(readings.map { $0.usage?.inputUncached } == [7, 7])
      #expect(readings.map { $0.usage?.outputText } == [5, 5])
    }
  }

  @Test func everyKindOfAnswerIsReadByItsOwnReader() throws {
    let bodies: [(Providers.Operation, String)] = [
      (.embeddings, #"{"model":"e","data":[{}],"usage":{"prompt_tokens":4,"total_tokens":4}}"#),
      (
        .responses,
        #"{"model":"r","status":"completed","usage":{"input_tokens":4,"output_tokens":0}}"#
      ),
      (.images, #"{"data":[{}],"usage":{"input_tokens":4,"output_tokens":0,"total_tokens":4}}"#),
    ]
    for (operation, body) in bodies {
      let (reader, readings) = try Self.results([Array(Self.result(body).utf8)[...]], operation)
      #expect(reader.answered == 1 && !reader.isBroken, "\(operation)")
      #expect(readings.first?.usage?.inputTotal == 4, "\(operation)")
    }
    for operation in [nil, .speech, .batches] as [Providers.Operation?] {
      if JobResultsReader(.batch, operation) != nil { Issue.record("\(operation as Any)") }
    }
  }

  @Test(arguments: [
    result(#"{"model":"m"}"#), result("null"), "{\"custom_id\":", "nonsense",
    String(result(answer).dropLast(9)), "{}", "[]", #"{"error":{"message":"busy"}}"#,
    #"{"custom_id":"x","response":{"body":{}}}"#, #"{"custom_id":"x","response":{}}"#,
    #"{"id":"file-1","object":"file"}"#,
  ])
  func whatCannotBeReadIsNoted(line: String) throws {
    let (alone, _) = try Self.results([Array(line.utf8)[...]])
    let isWhole = line.hasSuffix("\n")
    #expect(alone.isBroken && alone.hasResult == isWhole)
    let (reader, readings) = try Self.results([Array((Self.result(Self.answer) + line).utf8)[...]])
    #expect(reader.isBroken && readings.count >= 1)
  }
}
