// What the gateway is told, and what it refuses to be told.

import Metering
import Testing

@testable import Gateway

@Suite struct ConfigurationTests {
  @Test(arguments: [
    ("https://api.openai.com", true, "api.openai.com", 443, "", "api.openai.com"),
    ("https://api.openai.com/v1/", true, "api.openai.com", 443, "", "api.openai.com"),
    ("http://127.0.0.1:8081/a/b", false, "127.0.0.1", 8081, "/a/b", "127.0.0.1:8081"),
    ("http://[::1]:80", false, "::1", 80, "", "[::1]"),
    ("HTTPS://h:8443", true, "h", 8443, "", "h:8443"),
  ])
  func baseURLs(
    url: String, isTLS: Bool, host: String, port: Int, prefix: String, authority: String
  ) throws {
    let upstream = try GatewayUpstream(name: "u", dialect: .openai, baseURL: url)
    #expect(upstream.isTLS == isTLS)
    #expect(upstream.host == host)
    #expect(upstream.port == port)
    #expect(upstream.pathPrefix == prefix)
    #expect(upstream.authority == authority)
  }

  @Test(arguments: [
    "api.openai.com", "ftp://h", "https://", "http://h:0", "http://h:x", "http://u:p@h",
    "http://h/?q", "http://h\r\nx",
  ])
  func baseURLsThatAreWrong(url: String) {
    #expect(throws: GatewayFault.self) {
      try GatewayUpstream(name: "u", dialect: .openai, baseURL: url)
    }
  }

  @Test(arguments: ["", "sk a", "sk\n", "sk\u{e9}"])
  func credentialsThatCannotStandInAHead(credential: String) {
    let upstream = GatewayUpstream(
      name: "u", dialect: .openai, isTLS: false, host: "h", port: 1, credential: credential)
    let fault = #expect(throws: GatewayFault.self) { try upstream.check() }
    if !credential.isEmpty { #expect(fault?.description.contains(credential) == false) }
  }

  @Test(arguments: ["v1", "a/b", "", "Ä", "UP"])
  func namesThatCannotStartAPath(name: String) {
    let upstream = GatewayUpstream(
      name: name, dialect: .openai, isTLS: false, host: "h", port: 1)
    #expect(throws: GatewayFault.self) { try upstream.check() }
  }
}
