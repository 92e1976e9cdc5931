// Batches of messages: each request bounded by itself, progress and results in every split.

import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct MessageBatchTests {
  private func peek(_ text: String) throws -> PeekedRequest {
    try Providers.Operation.messageBatches.peek(Array(text.utf8))
  }

  private static let first =
    #"{"model":"a","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#
  private static let second =
    #"{"messages":[{"role":"user","content":"{\"params\":[}"}],"max_tokens":70,"model":"b"}"#

  @Test func everyRequestIsBoundedAsIfItStoodAlone() throws {
    let batch = try peek(
      #"{"x":{"requests":1},"requests":[{"custom_id":"1","params":\#(Self.first)},"#
        + #"{"params" : \#(Self.second) ,"custom_id":"2"}],"params":5}"#)
    #expect(batch.jobKind == .messageBatch && batch.model == "a" && !batch.isStream)
    let alone = try [Self.first, Self.second].map {
      try Providers.Operation.messages.peek(Array($0.utf8))
    }
    #expect(batch.parts.map(\.model) == ["a", "b"])
    #expect(batch.parts.map(\.inputTokensMax) == alone.map(\.inputTokensMax))
    #expect(batch.parts.map(\.outputTokensMax) == [9, 70])
    #expect(batch.unboundablePart == nil)
  }

  @Test func whatOneRequestDoesNotBoundTheBatchDoesNot() throws {
    let batch = try peek(
      #"{"requests":[{"params":\#(Self.first)},{"params":{"model":"b","container":"c"}}]}"#)
    #expect(batch.unboundablePart == "'container'")
    #expect(batch.parts.map(\.outputTokensMax) == [9, nil])
  }

  @Test(arguments: [
    (#"{"requests":{}}"#, "'requests' must be an array"), (#"{"requests":1}"#, "'requests' must"),
    (#"{"requests":[1]}"#, "no object"), (#"{"requests":[[]]}"#, "no object"),
    (#"{"requests":[{"custom_id":"1"}]}"#, "no 'params'"),
    (#"{"requests":[{"params":[]}]}"#, "'params' must be an object"),
    (#"{"requests":[{"params":null}]}"#, "'params' must be an object"),
    (#"{"requests":[{"params":{},"params":{}}]}"#, "'params' is said twice"),
    (#"{"requests":[{"Params":{}}]}"#, "differs from 'params'"),
    (#"{"requests":[],"Requests":[]}"#, "differs from 'requests'"),
    (#"{"requests":[],"requests":[]}"#, "'requests' is said twice"),
    (#"{"requests":[{"params":{"model":1}}]}"#, "Of 'params' of request 0 of the batch"),
    (#"{"requests":[{"params":{"model":"a","model":"b"}}]}"#, "'model' is said twice"),
    (#"{"requests":[{"params":{}}]"#, "ends too early"),
  ])
  func refuses(body: String, reason: String) {
    #expect {
      _ = try peek(body)
    } throws: { error in
      (error as? PeekFault)?.message.contains(reason) == true
    }
  }

  @Test func pathsAreWhatTheyMean() {
    func classify(_ method: String, _ path: String) -> Endpoint {
      Endpoint.classify(dialect: .anthropic, method: method, path: path)
    }
    #expect(classify("POST", "/v1/messages/batches") == .metered(.messageBatches))
    #expect(classify("POST", "/v1/messages/batches/") == .unmetered)
    #expect(classify("POST", "/v1/messages//batches") == .unmetered)
    #expect(classify("POST", "/v1/messages/batches/b1/cancel") == .stored)
    #expect(classify("DELETE", "/v1/messages/batches/b1") == .stored)
    #expect(classify("DELETE", "/v1/messages/batches") == .unmetered)
    #expect(classify("DELETE", "/v1/files/f1") == .unmetered)
    for path in ["", "/b1", "/b1/results"] {
      #expect(classify("GET", "/v1/messages/batches" + path) == .stored)
    }
    #expect(
      Endpoint.classify(dialect: .openai, method: "POST", path: "/v1/messages/batches")
        == .unmetered)
  }

  // MARK: Progress

  static func document(_ status: String, succeeded: Int = 0) -> String {
    #"{"id":"msgbatch_1","type":"message_batch","processing_status":"\#(status)","#
      + #""request_counts":{"processing":0,"succeeded":\#(succeeded),"errored":1,"canceled":0,"#
      + #""expired":0},"ended_at":null,"results_url":"https://x/y"}"#
  }

  @Test(arguments: [
    ("in_progress", JobProgress.State.running), ("canceling", .running), ("ended", .ended),
    ("new", .unknown),
  ])
  func theStatusIsTheStateInEverySplit(status: String, state: JobProgress.State) {
    let bytes = Array(Self.document(status, succeeded: 31).utf8)
    for split in 0...bytes.count {
      let reader = JobReader(.messageBatch)
      Array(bytes[..<split]).withUnsafeBytes { reader.feed($0) }
      if split < bytes.count { #expect(reader.progress.state == .unknown) }
      Array(bytes[split...]).withUnsafeBytes { reader.feed($0) }
      #expect(reader.progress.state == state)
      #expect(reader.progress.reading.jobID == "msgbatch_1")
      #expect(reader.progress.resultsNeeded == (state == .ended ? 31 : nil))
    }
  }

  @Test func aBatchOfWhichNothingWasAnsweredNeedsNoResults() {
    let reader = JobReader(.messageBatch)
    Array(Self.document("ended").utf8).withUnsafeBytes { reader.feed($0) }
    #expect(reader.progress.state == .ended && reader.progress.resultsNeeded == nil)
    #expect(reader.progress.reading.resultCount == 0)
  }

  // MARK: Results

  static func succeeded(_ model: String, input: Int, output: Int) -> String {
    #"{"custom_id":"a","result":{"type":"succeeded","message":{"id":"msg_1","type":"message","#
      + #""model":"\#(model)","role":"assistant","content":[{"type":"text","text":"\u00e9\n{}"}],"#
      + #""stop_reason":"end_turn","usage":{"input_tokens":\#(input),"output_tokens":\#(output),"#
      + #""cache_read_input_tokens":3,"service_tier":"batch"}}}}"# + "\n"
  }

  static let others =
    #"{"custom_id":"b","result":{"type":"errored","error":{"type":"error","error":{"type":"x"}}}}"#
    + "\n\r\n" + #"{"custom_id":"c","result":{"type":"expired"}}"# + "\n"
    + #"{"result":{"type":"canceled"},"custom_id":"d"}"# + "\n"

  private static func results(
    _ pieces: [ArraySlice<UInt8>]
  ) throws -> (JobResultsReader, [CallReading]) {
    var reader = try #require(JobResultsReader(.messageBatch))
    var readings: [CallReading] = []
    for piece in pieces { piece.withUnsafeBytes { reader.feed($0) { readings.append($0) } } }
    reader.finish { readings.append($0) }
    return (reader, readings)
  }

  @Test func resultsAreReadInEverySplit() throws {
    let text =
      Self.succeeded("m", input: 10, output: 5) + Self.others
      + Self.succeeded("n", input: 7, output: 0).dropLast()
    let bytes = Array(text.utf8)
    for split in 0...bytes.count {
      let (reader, readings) = try Self.results([bytes[..<split], bytes[split...]])
      #expect(reader.answered == 2 && !reader.isBroken, "\(split)")
      #expect(readings.map(\.responseModel) == ["m", "n"])
      #expect(readings.map { $0.usage?.inputUncached } == [10, 7])
      #expect(readings.map { $0.usage?.cacheRead } == [3, 3])
      #expect(readings.map { $0.usage?.outputTotal } == [5, 0])
      #expect(readings.first?.serviceTier == "batch")
    }
    let one = try Self.results(bytes.indices.map { bytes[$0...$0] })
    #expect(one.0.answered == 2 && !one.0.isBroken && one.1.count == 2)
  }

  @Test(arguments: [
    #"{"custom_id":"a","result":{"type":"succeeded","message":{"model":"m"}}}"#,
    #"{"custom_id":"a","result":{"type":"succeeded"}}"#, "{\"custom_id\":", "nonsense",
  ])
  func whatCannotBeReadIsNoted(line: String) throws {
    let text = Self.succeeded("m", input: 1, output: 1) + line + "\n"
    let (reader, readings) = try Self.results([Array(text.utf8)[...]])
    #expect(reader.isBroken && readings.count == 1)
  }

  /// A message that speaks of results is not one.
  @Test func whatStandsInAMessageIsNoResult() throws {
    let text =
      #"{"result":{"message":{"result":{"type":"succeeded"},"model":"m","usage":{"input_tokens":1,"#
      + #""output_tokens":1}},"type":"errored"}}"#
    let (reader, readings) = try Self.results([Array(text.utf8)[...]])
    #expect(reader.answered == 0 && readings.isEmpty && !reader.isBroken)
  }
}
