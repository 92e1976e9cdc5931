// The two things that can be ordered: isolate an app, and let it run again.

import Foundation
import Hummingbird
import Logging

/// Takes signed orders.
struct OrderEndpoints: Sendable {
  /// Below it POST exists.
  static let path = "/api/"
  private static let bodyBytesMax = 4_096
  private static let actorBytesMax = 64

  let control: any Control
  /// Nil: no secret is set, and no order taken.
  let calls: SignedCalls?
  let logger: Logger

  func add(to router: Router<BasicRequestContext>) {
    for (name, isIsolation) in [("isolate", true), ("restore", false)] {
      router.post("/api/apps/:app/\(name)") { request, context in
        try await take(
          request, app: context.parameters.get("app") ?? "", isIsolation: isIsolation)
      }
    }
  }

  private struct Body: Decodable {
    var actor: String
    var reason: String

    /// Lines of a record, not empty.
    var isUsable: Bool {
      [actor, reason].allSatisfy { text in
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
      } && actor.utf8.count <= OrderEndpoints.actorBytesMax
    }
  }

  private func take(
    _ request: Request, app: String, isIsolation: Bool
  ) async throws -> Response {
    guard let calls else {
      return .text(
        .forbidden,
        "This gateway takes no orders here. Name a secret with admin.secretEnv in gateway.yaml, "
          + "or use leeway isolate and leeway restore.\n")
    }
    let bytes = Array(
      try await request.body.collect(upTo: Self.bodyBytesMax).readableBytesView)
    let fault = calls.fault(
      time: Self.header("x-leeway-time", request),
      signature: Self.header("x-leeway-signature", request), method: "POST",
      path: request.uri.path, body: bytes, now: Int64(Date().timeIntervalSince1970))
    if let fault {
      logger.warning("an unsigned order", metadata: ["fault": "\(fault)"])
      return .text(.unauthorized, fault.message + "\n")
    }
    guard let body = try? JSONDecoder().decode(Body.self, from: Data(bytes)), body.isUsable else {
      return .text(
        .badRequest, "The body is {\"actor\": \"who\", \"reason\": \"why\"}, one line each.\n")
    }
    let order = AdminOrder(
      app: app, isIsolation: isIsolation, actor: body.actor, reason: body.reason)
    do {
      guard let sequence = try await control.place(order) else {
        return .text(.notFound, "There is no such app.\n")
      }
      return .text(.ok, "{\"order\":\(sequence)}\n", type: "application/json")
    } catch {
      logger.error("an order could not be placed", metadata: ["error": "\(error)"])
      return .text(.serviceUnavailable, "The order could not be placed or applied; see the log.\n")
    }
  }

  private static func header(_ name: String, _ request: Request) -> String? {
    HeaderName(name).flatMap { request.headers[$0] }
  }
}
