// No alert goes to someone who cannot prove who they are, or in the clear where TLS was asked for.

import Curl
import Foundation
import TestSupport
import Testing

@Suite(
  .enabled(
    if: Command.peersPython != nil && Certificate.isAvailable,
    "needs LEEWAY_PEERS_PYTHON and the openssl command"))
struct TransportSecurityTests {
  private func fault(_ request: CurlRequest) async -> CurlFault? {
    do {
      _ = try await CurlClient().perform(request)
      return nil
    } catch { return error }
  }

  @Test func anUnknownCertificateIsRefusedAndATrustedOneTaken() async throws {
    let certificate = try Certificate()
    let file = certificate.both
    let web = try await Receiver.secureWeb(certificate: file)
    let content = CurlRequest.Content.http(.init(method: "POST"))
    let unknown = await fault(
      CurlRequest(url: "https://localhost:\(web.port)/a", content: content))
    #expect(unknown?.code == .tlsFailed)
    let otherName = await fault(
      CurlRequest(
        url: "https://127.0.0.1:\(web.port)/b", content: content, certificateFile: file))
    #expect(otherName?.code == .tlsFailed)
    let trusted = await fault(
      CurlRequest(
        url: "https://localhost:\(web.port)/c", content: content, certificateFile: file))
    #expect(trusted == nil)
    #expect(try web.taken().map { $0["path"] } == ["/c"])
  }

  @Test func requiredSTARTTLSIsNotTradedForClearText() async throws {
    let mail = try await Receiver.mail()
    func request(_ security: CurlRequest.MailSecurity) -> CurlRequest {
      CurlRequest(
        url: "smtp://127.0.0.1:\(mail.port)",
        content: .mail(
          .init(
            from: "a@b.example", recipients: ["c@d.example"],
            message: Array("Subject: x\r\n\r\ny\r\n".utf8), security: security)))
    }
    #expect(await fault(request(.required))?.code == .tlsFailed)
    #expect(try mail.taken().isEmpty)
    #expect(await fault(request(.opportunistic)) == nil)
    #expect(try mail.taken().count == 1)
  }
}
