// How far a job is, from its document in every split.

import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct JobProgressTests {
  static func response(_ status: String, usage: String = "null", output: String = "") -> String {
    #"{"id":"resp_67","object":"response","background":true,"status":"\#(status)","error":null,"#
      + #""model":"gpt-5","service_tier":"flex","output":[\#(output)],"usage":\#(usage)}"#
  }

  static let usage =
    #"{"input_tokens":81,"input_tokens_details":{"cached_tokens":20},"output_tokens":1035,"#
    + #""output_tokens_details":{"reasoning_tokens":832},"total_tokens":1116}"#

  static let message =
    #"{"id":"msg_1","type":"message","status":"completed","role":"assistant","#
    + #""content":[{"type":"output_text","text":"High water","annotations":[]}]}"#

  private func progress(_ text: String) -> JobProgress {
    let reader = JobReader(.backgroundResponse)
    Array(text.utf8).withUnsafeBytes { reader.feed($0) }
    return reader.progress
  }

  @Test(arguments: [
    ("queued", JobProgress.State.queued), ("in_progress", .running), ("completed", .ended),
    ("incomplete", .ended), ("failed", .failed), ("cancelled", .cancelled), ("dreaming", .unknown),
  ])
  func theStatusIsTheState(status: String, state: JobProgress.State) {
    let progress = progress(Self.response(status))
    #expect(progress.state == state)
    #expect(progress.reading.usage == nil)
    #expect(progress.reading.jobID == "resp_67")
  }

  @Test func everySplitReadsTheSame() throws {
    let text = Self.response("completed", usage: Self.usage, output: Self.message)
    let whole = progress(text)
    #expect(whole.state == .ended)
    let usage = try #require(whole.reading.usage)
    #expect(usage.inputUncached == 61 && usage.cacheRead == 20)
    #expect(usage.outputText == 203 && usage.outputReasoning == 832)
    #expect(whole.reading.serviceTier == "flex" && whole.reading.responseModel == "gpt-5")
    // An item's own name and status are not the response's.
    #expect(whole.reading.jobID == "resp_67" && whole.reading.finishReason == "completed")
    let bytes = Array(text.utf8)
    for split in 0...bytes.count {
      let reader = JobReader(.backgroundResponse)
      Array(bytes[..<split]).withUnsafeBytes { reader.feed($0) }
      if split < bytes.count { #expect(reader.progress.state == .unknown, "\(split)") }
      Array(bytes[split...]).withUnsafeBytes { reader.feed($0) }
      #expect(reader.progress == whole, "\(split)")
    }
  }

  @Test(arguments: ["", "[]", "null", "data: {}\n\n", "<html>", #"{"error":{"message":"x"}}"#])
  func whatIsNoResponseSaysNothing(text: String) {
    #expect(progress(text).state == .unknown)
  }

  /// A stream names the response in its first event; what its items are called is not its name.
  @Test func aStreamNamesItsJob() {
    let events = [
      #"{"type":"response.created","response":\#(Self.response("queued"))}"#,
      #"{"type":"response.in_progress","response":\#(Self.response("in_progress"))}"#,
      #"{"type":"response.output_item.added","item":{"id":"msg_1","status":"in_progress"}}"#,
      #"{"type":"response.output_text.delta","item_id":"msg_1","delta":"High"}"#,
    ].map { "data: \($0)\n\n" }.joined()
    let reader = Providers.Operation.responses.streamReader(hidesUsage: false)
    for byte in events.utf8 { withUnsafeBytes(of: byte) { _ = reader.feed($0) } }
    #expect(reader.reading.jobID == "resp_67")
    #expect(reader.reading.state(of: .backgroundResponse) == .running)
    #expect(reader.reading.usage == nil)
  }
}
