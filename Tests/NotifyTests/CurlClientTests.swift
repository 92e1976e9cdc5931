// The libcurl client against a real server, and its refusals before any byte is sent.

import Foundation
import TestSupport
import Testing

@testable import Curl

@Suite struct CurlClientTests {
  private func post(_ url: String, timeoutSeconds: Double = 10, body: String = "{}") -> CurlRequest
  {
    CurlRequest(
      url: url,
      content: .http(
        .init(
          method: "POST", headers: [("Content-Type", "application/json")],
          body: Array(body.utf8))), timeoutSeconds: timeoutSeconds, responseBytesMax: 1 << 16)
  }

  private func fault(_ request: CurlRequest, client: CurlClient = CurlClient()) async -> CurlFault?
  {
    do {
      _ = try await client.perform(request)
      return nil
    } catch { return error }
  }

  @Test(.enabled(if: Command.peersPython != nil, "\(Command.peersAbsence)"))
  func anyStatusIsAResponseAndRedirectsAreNotFollowed() async throws {
    let web = try await Receiver.web()
    let client = CurlClient()
    for status in [200, 302, 404, 500] {
      let response = try await client.perform(post("http://127.0.0.1:\(web.port)/status/\(status)"))
      #expect(response.status == status)
    }
    let last = try await client.perform(post("http://127.0.0.1:\(web.port)/status/302"))
    #expect(last.header("location") == "/elsewhere")
    #expect(try web.taken().allSatisfy { $0["path"] != "/elsewhere" })
  }

  @Test(.enabled(if: Command.peersPython != nil, "\(Command.peersAbsence)"))
  func manyAtOnceEachGetTheirOwnAnswer() async throws {
    let web = try await Receiver.web()
    let client = CurlClient()
    let statuses = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
      for status in 400..<440 {
        let request = post("http://127.0.0.1:\(web.port)/status/\(status)")
        group.addTask { (status, try await client.perform(request).status) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.count == 40)
    #expect(statuses.allSatisfy { $0.0 == $0.1 })
  }

  @Test(.enabled(if: Command.peersPython != nil, "\(Command.peersAbsence)"))
  func boundsEndATransfer() async throws {
    let web = try await Receiver.web()
    let slow = await fault(post("http://127.0.0.1:\(web.port)/slow", timeoutSeconds: 0.5))
    #expect(slow?.code == .timeout)
    #expect(slow?.isRetryable == true)
    let endless = await fault(post("http://127.0.0.1:\(web.port)/endless"))
    #expect(endless?.code == .responseTooLarge)
  }

  @Test(.enabled(if: Command.peersPython != nil, "\(Command.peersAbsence)"))
  func cancellingATaskEndsItsTransfer() async throws {
    let web = try await Receiver.web()
    let request = post("http://127.0.0.1:\(web.port)/slow", timeoutSeconds: 60)
    let began = ContinuousClock.now
    let task = Task { await fault(request) }
    _ = try await web.taken(atLeast: 1)
    task.cancel()
    #expect(await task.value?.code == .cancelled)
    #expect(ContinuousClock.now - began < .seconds(30))
    let cancelledBefore = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await fault(request)
    }
    #expect(await cancelledBefore.value?.code == .cancelled)
  }

  @Test(.enabled(if: Command.peersPython != nil, "\(Command.peersAbsence)"))
  func shutdownEndsEverything() async throws {
    let web = try await Receiver.web()
    let client = CurlClient()
    let request = post("http://127.0.0.1:\(web.port)/slow", timeoutSeconds: 60)
    let task = Task { await fault(request, client: client) }
    _ = try await web.taken(atLeast: 1)
    client.shutdown()
    #expect(await task.value?.code == .closed)
    #expect(await fault(request, client: client)?.code == .closed)
    client.shutdown()
  }

  @Test func aClosedPortIsAConnectFault() async {
    let found = await fault(post("http://127.0.0.1:1/secret-path?token=abc"))
    #expect(found?.code == .connectFailed)
    #expect(found?.isRetryable == true)
    #expect(!"\(found.map { "\($0)" } ?? "")".contains("secret-path"))
  }

  @Test(arguments: [
    "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "nonsense", "",
    "http://", "localhost:80", "http://a\u{0}b/",
  ])
  func whatIsNotOneOfOursIsNotOpened(url: String) async {
    #expect(await fault(post(url))?.code == .requestInvalid)
  }

  @Test func headersCannotBeSplit() async {
    for (name, value) in [
      ("A", "b\r\nC: d"), ("A\r\nB", "c"), ("", "x"), ("A b", "c"), ("A", "\u{0}"),
    ] {
      let request = CurlRequest(
        url: "http://127.0.0.1:1/",
        content: .http(.init(method: "POST", headers: [(name, value)])))
      #expect(await fault(request)?.code == .requestInvalid)
    }
    let method = CurlRequest(
      url: "http://127.0.0.1:1/", content: .http(.init(method: "GET / HTTP/1.1\r\nX: y")))
    #expect(await fault(method)?.code == .requestInvalid)
  }

  @Test func aPasswordDoesNotGoInTheClear() async {
    func mail(_ url: String, _ security: CurlRequest.MailSecurity, _ password: String?)
      -> CurlRequest
    {
      CurlRequest(
        url: url,
        content: .mail(
          .init(
            from: "a@b.example", recipients: ["c@d.example"], message: [], security: security,
            username: "u", password: password)), timeoutSeconds: 2)
    }
    #expect(throws: CurlFault.self) {
      _ = try mail("smtp://mail.example:587", .opportunistic, "hunter2").validated()
    }
    #expect(throws: CurlFault.self) {
      _ = try mail("smtp://u:hunter2@mail.example:587", .none, nil).validated()
    }
    #expect(throws: Never.self) {
      _ = try mail("smtp://mail.example:587", .required, "hunter2").validated()
      _ = try mail("smtps://mail.example", .none, "hunter2").validated()
      _ = try mail("smtp://127.0.0.1:25", .none, "hunter2").validated()
      _ = try mail("smtp://mail.example:25", .opportunistic, nil).validated()
    }
    #expect(throws: CurlFault.self) { _ = try mail("http://mail.example", .none, nil).validated() }
  }

  @Test func addressesArePlain() {
    for good in ["a@b", "ops+alerts@mail.example", "o'brien@x.example"] {
      #expect(CurlRequest.isAddress(good))
    }
    for bad in [
      "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b>\r\nRCPT TO:<x@y", "a,b@c", "<a@b>", "ä@b",
      "a@b\u{0}", "\"a\"@b",
    ] {
      #expect(!CurlRequest.isAddress(bad))
    }
  }

  @Test func urlsAreReadAsLibcurlDoesAndRedacted() throws {
    let url = try #require(CurlURL("HTTPS://user:pass@Hooks.Example:8443/T0/secret?x=1"))
    #expect(url.scheme == "https")
    #expect(url.host == "hooks.example")
    #expect(url.port == 8443)
    #expect(url.hasCredentials)
    #expect(url.redacted == "https://hooks.example:8443/…")
    let six = try #require(CurlURL("http://[::1]/"))
    #expect(six.isLoopback)
    #expect(six.redacted == "http://[::1]:80/…")
    #expect(CurlURL("http://127.0.0.1.evil.example/")?.isLoopback == false)
    #expect(CurlURL("http://evil@127.0.0.1/")?.host == "127.0.0.1")
  }
}
