// The page in a real browser. Set LEEWAY_SCREENSHOTS to a folder to keep the pictures for looking
// at.

import Foundation
import TestSupport
import Testing

@testable import Admin

enum Browser {
  static let path = Command.find("chromium", "chromium-browser", "google-chrome")

  /// What the browser wrote to its log, after it has taken a picture of the page.
  static func screenshot(
    _ url: String, to file: String, width: Int, height: Int, isDark: Bool, profile: String
  ) throws -> String {
    try Command.run(
      path ?? "",
      [
        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--enable-logging=stderr", "--user-data-dir=\(profile)", "--screenshot=\(file)",
        "--window-size=\(width),\(height)",
        "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)", url,
      ]
    ).said
  }
}

@Suite(.serialized) struct BrowserTests {
  @Test(
    .enabled(if: Browser.path != nil, "no chromium on PATH"),
    arguments: [
      ("wide", 1280, 1150, false), ("dark", 1280, 1150, true), ("narrow", 500, 2100, false),
    ])
  func thePageShowsWithoutComplaint(name: String, width: Int, height: Int, isDark: Bool)
    async throws
  {
    let directory = try TemporaryDirectory()
    let control = ExampleControl(reportsDirectory: directory.path)
    let folder = ProcessInfo.processInfo.environment["LEEWAY_SCREENSHOTS"] ?? directory.path
    let file = "\(folder)/overview-\(name).png"
    let log = try await withServer(control) { port in
      try await onThread {
        try Browser.screenshot(
          "http://localhost:\(port)/", to: file, width: width, height: height, isDark: isDark,
          profile: directory.path("profile"))
      }
    }
    // The browser reports what the content security policy stopped; our own page must not need it.
    #expect(!log.contains("Content Security Policy"))
    let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
    #expect(size > 20_000)
  }
}
