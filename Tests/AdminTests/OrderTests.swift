// Signed orders over the admin port: what is obeyed, and what is not.

import Crypto
import Foundation
import TestSupport
import Testing

@testable import Admin

@Suite(.serialized) struct OrderTests {
  private static let secret = "0123456789abcdef0123456789abcdef"
  private static let path = "/api/apps/support-chat/isolate"
  private static let body = #"{"actor":"mara","reason":"key leaked"}"#

  private static func request(
    _ path: String = path, body: String = body, secret: String = secret,
    time: Int64 = Int64(Date().timeIntervalSince1970), signedPath: String? = nil
  ) -> String {
    let message = "\(time)\nPOST\n\(signedPath ?? path)\n\(body)"
    let code = HMAC<SHA256>.authenticationCode(
      for: Array(message.utf8), using: SymmetricKey(data: Array(secret.utf8)))
    let signature = code.map { String(format: "%02x", $0) }.joined()
    return "POST \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
      + "x-leeway-time: \(time)\r\nx-leeway-signature: \(signature)\r\n"
      + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  @Test func aSignedOrderIsObeyedOnce() async throws {
    let control = ExampleControl(reportsDirectory: "/nonexistent")
    try await withServer(control, secret: Self.secret) { port in
      let request = Self.request()
      let answer = try await exchange(request, port: port)
      #expect(answer.status == 200 && answer.text == "{\"order\":1}\n")
      #expect(try await exchange(request, port: port).status == 401, "made before")
      let restore = Self.request("/api/apps/support-chat/restore")
      #expect(try await exchange(restore, port: port).status == 200)
      #expect(
        control.orders.withLock { $0 } == [
          AdminOrder(
            app: "support-chat", isIsolation: true, actor: "mara", reason: "key leaked"),
          AdminOrder(
            app: "support-chat", isIsolation: false, actor: "mara", reason: "key leaked"),
        ])
      #expect(try await exchange(Self.request("/api/apps/x/isolate"), port: port).status == 404)
    }
  }

  @Test func whatIsNotSignedForThisCallIsNotObeyed() async throws {
    let control = ExampleControl(reportsDirectory: "/nonexistent")
    try await withServer(control, secret: Self.secret) { port in
      let now = Int64(Date().timeIntervalSince1970)
      for request in [
        Self.request(secret: "another secret"), Self.request(time: now - 90),
        Self.request(time: now + 90), Self.request(signedPath: "/api/apps/support-chat/restore"),
        "POST \(Self.path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
          + "Content-Length: 2\r\n\r\n{}",
      ] {
        let status = try await exchange(request, port: port).status
        #expect(status == 401)
      }
      for body in ["{}", #"{"actor":"","reason":"x"}"#, #"{"actor":"a\nb","reason":"x"}"#] {
        #expect(try await exchange(Self.request(body: body), port: port).status == 400)
      }
      let host = Self.request().replacingOccurrences(of: "localhost", with: "evil.example")
      #expect(try await exchange(host, port: port).status == 421)
      #expect(control.orders.withLock { $0.isEmpty })
    }
  }

  @Test func withoutASecretNoOrderIsTaken() async throws {
    let control = ExampleControl(reportsDirectory: "/nonexistent")
    try await withServer(control) { port in
      let status = try await exchange(Self.request(), port: port).status
      #expect(status == 403)
      #expect(control.orders.withLock { $0.isEmpty })
    }
  }
}
