// The error shapes of all dialects: one place, so that a refusal and a failure cannot look unlike.
//
// OpenAI's has words of its own for each error; the others say what follows from the status.

/// An error before it has a dialect.
struct DialectError {
  var status: Int
  /// For `x-leeway-denial`.
  var code: String
  var message: String
  var openAIType: String
  var openAICode: String
  /// The request's field at fault.
  var openAIParameter: String?
  var retryHeaders: [(String, String)] = []

  func response(dialect: DialectID, requestID: String) -> RefusalResponse {
    var headers = [
      ("content-type", "application/json"), ("x-leeway-denial", code),
      ("x-request-id", requestID),
    ]
    headers += retryHeaders
    var json = JSONWriter()
    switch dialect {
    case .openai: openAI(&json)
    case .anthropic:
      headers.append(("request-id", requestID))
      anthropic(requestID, &json)
    case .gemini: gemini(&json)
    case .ollama: json.object { json in json.member("error", message) }
    case .bedrock:
      headers.append(("x-amzn-errortype", bedrockType))
      headers.append(("x-amzn-requestid", requestID))
      json.object { json in json.member("message", message) }
    }
    return RefusalResponse(status: status, headers: headers, body: json.bytes)
  }

  private func openAI(_ json: inout JSONWriter) {
    json.object { json in
      json.member("error") { json in
        json.object { json in
          json.member("message", message)
          json.member("type", openAIType)
          json.member("param", openAIParameter)
          json.member("code", openAICode)
        }
      }
    }
  }

  private func anthropic(_ requestID: String, _ json: inout JSONWriter) {
    let type =
      switch status {
      case 401: "authentication_error"
      case 403: "permission_error"
      case 404: "not_found_error"
      case 413: "request_too_large"
      case 429: "rate_limit_error"
      case 400..<500: "invalid_request_error"
      default: "api_error"
      }
    json.object { json in
      json.member("type", "error")
      json.member("error") { json in
        json.object { json in
          json.member("type", type)
          json.member("message", message)
        }
      }
      json.member("request_id", requestID)
    }
  }

  private func gemini(_ json: inout JSONWriter) {
    let word =
      switch status {
      case 401: "UNAUTHENTICATED"
      case 403: "PERMISSION_DENIED"
      case 404: "NOT_FOUND"
      case 429: "RESOURCE_EXHAUSTED"
      case 500...: "UNAVAILABLE"
      default: "INVALID_ARGUMENT"
      }
    json.object { json in
      json.member("error") { json in
        json.object { json in
          json.member("code", Int64(status))
          json.member("message", message)
          json.member("status", word)
        }
      }
    }
  }

  var bedrockType: String {
    switch status {
    case 401: "UnrecognizedClientException"
    case 403: "AccessDeniedException"
    case 404: "ResourceNotFoundException"
    case 429: "ThrottlingException"
    case 500...: "ServiceUnavailableException"
    default: "ValidationException"
    }
  }
}
