// Reports come from below their directory and from nowhere else.

import Foundation
import TestSupport
import Testing

@testable import Admin

@Suite(.serialized) struct ReportFilesTests {
  private func tree() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try directory.write("SECRET", to: "secret.txt")
    try directory.write("<h1>r</h1>", to: "reports/2026-11-23/shop.html")
    try directory.write("{}", to: "reports/2026-11-23/shop.json")
    try directory.write("a", to: "reports/2026-11-23/a b&c.md")
    try directory.write("hidden", to: "reports/.git/config")
    let manager = FileManager.default
    let reports = directory.path("reports")
    try manager.createSymbolicLink(
      atPath: reports + "/out.txt", withDestinationPath: directory.path("secret.txt"))
    try manager.createSymbolicLink(
      atPath: reports + "/outside", withDestinationPath: directory.path)
    try manager.createSymbolicLink(
      atPath: reports + "/latest", withDestinationPath: reports + "/2026-11-23")
    try manager.createSymbolicLink(
      atPath: reports + "/sneaky", withDestinationPath: reports + "/.git")
    mkfifo(reports + "/pipe", 0o600)
    return directory
  }

  @Test func filesAreServedWithTheirTypes() async throws {
    let directory = try tree()
    let control = ExampleControl(reportsDirectory: directory.path("reports"))
    try await withServer(control) { port in
      let html = try await ask("/reports/2026-11-23/shop.html", port: port)
      #expect(html.status == 200)
      #expect(html.text == "<h1>r</h1>")
      #expect(html.header("content-type") == "text/html; charset=utf-8")
      #expect(html.header("content-security-policy")?.contains("sandbox") == true)
      let json = try await ask("/reports/2026-11-23/shop.json?x=1", port: port)
      #expect(json.header("content-type") == "application/json")
      #expect(try await ask("/reports/latest/shop.html", port: port).text == "<h1>r</h1>")
      #expect(try await ask("/reports/2026-11-23/a%20b%26c.md", port: port).text == "a")
    }
  }

  @Test(arguments: [
    "/reports/../secret.txt", "/reports/%2e%2e/secret.txt", "/reports/..%2fsecret.txt",
    "/reports/2026-11-23/../../secret.txt", "/reports/%2e%2e%2fsecret.txt",
    "/reports//../secret.txt", "/reports/..%5csecret.txt", "/reports/out.txt",
    "/reports/outside/secret.txt", "/reports/.git/config", "/reports/sneaky/config",
    "/reports/shop.html%00", "/reports/%zz", "/reports/%c0%ae%c0%ae/secret.txt",
    "/reports/pipe", "/reports/2026-11-23/shop.html/x", "/reports/%252e%252e/secret.txt",
    "/reports/2026-11-23%2fshop.html",
  ])
  func nothingElseIs(target: String) async throws {
    let directory = try tree()
    let control = ExampleControl(reportsDirectory: directory.path("reports"))
    let answer = try await withServer(control) { try await ask(target, port: $0) }
    #expect(answer.status == 404)
    #expect(!answer.text.contains("SECRET"))
  }

  @Test func directoriesListWhatCanBeAskedFor() async throws {
    let directory = try tree()
    let control = ExampleControl(reportsDirectory: directory.path("reports"))
    try await withServer(control) { port in
      let top = try await ask("/reports/", port: port)
      #expect(top.status == 200)
      #expect(top.text.contains(#"<a href="./2026-11-23/">2026-11-23/</a>"#))
      #expect(!top.text.contains(".git"))
      let day = try await ask("/reports/2026-11-23/", port: port)
      #expect(day.text.contains(#"<a href="./a%20b%26c.md">a b&amp;c.md</a>"#))
      let bare = try await ask("/reports/2026-11-23", port: port)
      #expect(bare.status == 308)
      #expect(bare.header("location") == "/reports/2026-11-23/")
      let short = try await ask("/reports", port: port)
      #expect(short.header("location") == "/reports/")
    }
  }

  @Test func aRootThatIsALinkWorksAndOneThatIsGoneDoesNot() throws {
    let directory = try tree()
    let link = directory.path("link")
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: directory.path("reports"))
    guard case .file(let bytes, _) = ReportFiles(root: link).find("/2026-11-23/shop.json") else {
      Issue.record("not found through a linked root")
      return
    }
    #expect(bytes == Array("{}".utf8))
    #expect(ReportFiles(root: directory.path("gone")).find("/") == nil)
    // A root whose name is the beginning of another's must not let that one in.
    try directory.write("SECRET", to: "reports-private/x.txt")
    let sneak = directory.path("reports") + "/sibling"
    try FileManager.default.createSymbolicLink(
      atPath: sneak, withDestinationPath: directory.path("reports-private"))
    #expect(ReportFiles(root: directory.path("reports")).find("/sibling/x.txt") == nil)
  }
}
