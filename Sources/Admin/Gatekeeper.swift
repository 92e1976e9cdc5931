// What every answer of the admin port has in common: who may ask, how, and what a browser may do
// with the answer.

import Hummingbird

/// Checks Host and method, and sets the headers that keep a browser in bounds.
struct Gatekeeper: RouterMiddleware {
  typealias Context = BasicRequestContext

  let hosts: HostRule

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response = try await answer(request, context: context, next: next)
    for (name, value) in Self.headers where response.headers[name] == nil {
      response.headers[name] = value
    }
    return response
  }

  private func answer(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    guard hosts.allows(request.head.authority) else {
      return .text(
        .misdirectedRequest,
        "The admin port does not answer to this name. Use localhost or an address, "
          + "or add the name to the admin hosts of the gateway's settings.\n")
    }
    let takesPost = request.uri.path.hasPrefix(OrderEndpoints.path)
    guard request.method == .get || request.method == .head || takesPost && request.method == .post
    else {
      var response = Response.text(.methodNotAllowed, "Only GET and HEAD exist here.\n")
      response.headers[.allow] = "GET, HEAD"
      return response
    }
    do {
      return try await next(request, context)
    } catch let error as any HTTPResponseError {
      return .text(error.status, "\(error.status.code) \(error.status.reasonPhrase)\n")
    }
  }

  private static let headers: [(HeaderName, String)] = [
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
  ].compactMap { name, value in HeaderName(name).map { ($0, value) } }
}

/// The names of header fields, as Hummingbird's own header type has them.
typealias HeaderName = HTTPFields.Element.Name

extension Response {
  static func text(
    _ status: HTTPResponse.Status, _ text: String, type: String = "text/plain; charset=utf-8"
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  /// A page whose one style element carries the nonce; nothing else is loaded or run.
  static func page(
    _ status: HTTPResponse.Status, _ html: String, nonce: String
  ) -> Response {
    var response = text(status, html, type: "text/html; charset=utf-8")
    response.headers[.contentSecurityPolicy] =
      "default-src 'none'; style-src 'nonce-\(nonce)'; base-uri 'none'; form-action 'none'; "
      + "frame-ancestors 'none'"
    return response
  }
}
