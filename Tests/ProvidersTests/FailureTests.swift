// Failures of upstreams, byte for byte in each dialect's shape.

import Testing

@testable import Providers

@Suite struct FailureTests {
  private func render(_ status: Int, _ dialect: DialectID) -> RefusalResponse {
    Failure.render(
      status: status, code: "upstream_connect_failed", message: "Upstream \"a\\b\" is away.",
      dialect: dialect, requestID: "leeway-7")
  }

  @Test(arguments: [
    (
      502, DialectID.openai,
      #"{"error":{"message":"Upstream \"a\\b\" is away.","type":"server_error","param":null,"#
        + #""code":"upstream_connect_failed"}}"#
    ),
    (
      504, .anthropic,
      #"{"type":"error","error":{"type":"api_error","message":"Upstream \"a\\b\" is away."},"#
        + #""request_id":"leeway-7"}"#
    ),
    (
      502, .gemini,
      #"{"error":{"code":502,"message":"Upstream \"a\\b\" is away.","status":"UNAVAILABLE"}}"#
    ),
    (504, .bedrock, #"{"message":"Upstream \"a\\b\" is away."}"#),
    (
      431, .openai,
      #"{"error":{"message":"Upstream \"a\\b\" is away.","type":"invalid_request_error","#
        + #""param":null,"code":"upstream_connect_failed"}}"#
    ),
    (
      408, .anthropic,
      #"{"type":"error","error":{"type":"invalid_request_error","#
        + #""message":"Upstream \"a\\b\" is away."},"request_id":"leeway-7"}"#
    ),
    (
      400, .gemini,
      #"{"error":{"code":400,"message":"Upstream \"a\\b\" is away.","status":"INVALID_ARGUMENT"}}"#
    ),
  ])
  func bodies(status: Int, dialect: DialectID, body: String) {
    let response = render(status, dialect)
    #expect(response.status == status)
    #expect(String(decoding: response.body, as: UTF8.self) == body)
  }

  @Test(arguments: DialectID.allCases) func headersNameTheCodeAndTheCall(dialect: DialectID) {
    let headers = Dictionary(render(502, dialect).headers) { first, _ in first }
    #expect(headers["content-type"] == "application/json")
    #expect(headers["x-leeway-denial"] == "upstream_connect_failed")
    #expect(headers["x-request-id"] == "leeway-7")
    #expect(headers["x-should-retry"] == nil)
    #expect(headers["retry-after"] == nil)
    #expect(
      headers["x-amzn-errortype"] == (dialect == .bedrock ? "ServiceUnavailableException" : nil))
  }
}
