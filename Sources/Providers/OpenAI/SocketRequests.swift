// What the opening of a WebSocket tells: the model, and that each response may fill its context.

extension PeekedRequest {
  /// A session of the Realtime API: `…/realtime?model=M`, at Azure `…/realtime?deployment=D`.
  /// Said twice, or under both names, it has no model: which one counts is the upstream's affair.
  static func realtime(path: PathTail) -> PeekedRequest {
    var request = PeekedRequest()
    if path.parameterCount("model") + path.parameterCount("deployment") == 1 {
      request.model = path.queryValue("model") ?? path.queryValue("deployment") ?? ""
    }
    request.isStream = true
    request.fillsContext = true
    return request
  }

  /// The Responses API's socket mode, in which every message names a model of its own.
  static var responsesSocket: PeekedRequest {
    var request = PeekedRequest()
    request.isStream = true
    request.unboundablePart = "a WebSocket whose messages name their models later"
    return request
  }
}

extension Endpoint {
  /// What a request that asks for a WebSocket opens; nil: nothing that is known.
  public static func socket(dialect: DialectID, path: UnsafeRawBufferPointer) -> Operation? {
    let path = PathTail(path)
    guard dialect == .openai, path.isPlain else { return nil }
    if path.ends(with: "/realtime") { return .realtime }
    return path.ends(with: "/responses") ? .responsesSocket : nil
  }
}
