// The five things that can be asked.

import Foundation
import Hummingbird
import Logging

/// Answers each endpoint from `Control`.
struct Endpoints: Sendable {
  let control: any Control
  let pages: Pages
  let logger: Logger

  func add(to router: Router<BasicRequestContext>) {
    // Alive is: this process answers. Whether it should get calls is `/ready`.
    router.get("/health") { _, _ in Response.text(.ok, "ok\n") }
    router.get("/ready") { _, _ in try await ready() }
    router.get("/metrics") { _, _ in
      Response.text(
        .ok, await control.metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
    }
    router.get("/") { _, _ in await overview() }
    // The router takes this with and without a slash at the end.
    router.get("/reports") { request, _ in report(request) }
    router.get("/reports/**") { request, _ in report(request) }
  }

  private struct Readiness: Encodable {
    var status: String
    var problems: [ReadinessProblem]
  }

  private func ready() async throws -> Response {
    let problems = await control.readiness()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let body = try encoder.encode(
      Readiness(status: problems.isEmpty ? "ready" : "not_ready", problems: problems))
    return .text(
      problems.isEmpty ? .ok : .serviceUnavailable, String(decoding: body, as: UTF8.self) + "\n",
      type: "application/json")
  }

  private func overview() async -> Response {
    let nonce = Self.nonce()
    do {
      return .page(.ok, pages.overview(try await control.overview(), nonce: nonce), nonce: nonce)
    } catch {
      logger.error("overview unavailable", metadata: ["error": "\(error)"])
      let html = pages.message(
        title: "The overview cannot be read now",
        text: "The log says why. Calls go on as long as the gateway is ready; see /ready.",
        nonce: nonce)
      return .page(.serviceUnavailable, html, nonce: nonce)
    }
  }

  private func report(_ request: Request) -> Response {
    let nonce = Self.nonce()
    let path = String(request.uri.path.dropFirst("/reports".count))
    switch ReportFiles(root: control.reportsDirectory).find(path) {
    case nil:
      let html = pages.message(
        title: "There is no such report",
        text: "Reports are written by the analyzer; the first one comes with its first run.",
        nonce: nonce)
      return .page(.notFound, html, nonce: nonce)
    case .directory(let entries):
      guard path.hasSuffix("/") else {
        // Relative links need the slash. The path was found, so it has no line break in it.
        return Response(
          status: .permanentRedirect, headers: [.location: "/reports" + path + "/"])
      }
      return .page(.ok, pages.listing(path: path, entries: entries, nonce: nonce), nonce: nonce)
    case .file(let bytes, let contentType):
      return Response(
        status: .ok,
        headers: [.contentType: contentType, .contentSecurityPolicy: Self.reportPolicy],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
  }

  /// A report brings its own styles and charts but runs nothing: it shows what models wrote.
  private static let reportPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    + "form-action 'none'; frame-ancestors 'none'; sandbox allow-popups allow-same-origin"

  private static func nonce() -> String {
    var generator = SystemRandomNumberGenerator()
    return String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
  }
}
