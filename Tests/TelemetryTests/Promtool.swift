// Prometheus' own checker, and a strict little reader of what it checks.

import Foundation

/// `promtool check metrics`, where it is installed.
enum Promtool {
  static let path: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/promtool" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  static let skipReason = "promtool is not on PATH; install Debian's prometheus to run this test"

  /// What promtool complains of; empty: nothing, and it exited with 0.
  static func complaints(about text: String) throws -> String {
    guard let path else { return skipReason }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["check", "metrics"]
    let input = Pipe()
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    input.fileHandleForWriting.write(Data(text.utf8))
    try input.fileHandleForWriting.close()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? said : "exit \(process.terminationStatus): \(said)"
  }
}

/// The samples of an exposition by name and labels as written.
struct Scrape {
  var values: [String: String] = [:]
  var duplicates: [String] = []

  init(_ text: String) {
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " ") else { continue }
      let name = String(line[..<space])
      if values[name] != nil { duplicates.append(name) }
      values[name] = String(line[line.index(after: space)...])
    }
  }

  subscript(name: String) -> String? { values[name] }
}
