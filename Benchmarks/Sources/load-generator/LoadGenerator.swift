// load-generator: calls a chat endpoint on loopback and writes one JSON object of results.

import ArgumentParser
import Foundation
import Measures
import Sockets

@main
struct LoadGenerator: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load-generator",
    abstract: "Call a chat endpoint on loopback and print the results as JSON.",
    discussion: """
      Examples:  load-generator --port 8080 --path /json/v1/chat/completions --seconds 3
                 load-generator --port 8080 --path /paced/v1/chat/completions --stream \\
                   --timestamps --rate 50 --seconds 5
                 load-generator --port 8080 --path /idle/v1/chat/completions --stream --hold \\
                   --connections 1000
      """)

  @Option(help: "The port on 127.0.0.1.") var port: UInt16
  @Option(help: "The request's path.") var path: String
  @Option(help: "Keep-alive connections.") var connections = 64
  @Option(help: "How long calls are begun.") var seconds = 3.0
  @Option(help: "The most calls; without it, as many as the seconds allow.") var calls: Int?
  @Option(help: "Calls a second; without it, as fast as they are answered.") var rate: Double?
  @Option(help: "File of keys, one a line, taken in turn.") var keys: String?
  @Option(help: "Size of the request's body; without it 1.6 kB.") var bodyBytes: Int?
  @Flag(help: "Ask for a stream, and want it whole.") var stream = false
  @Flag(help: "Read the mock's send times out of the stream.") var timestamps = false
  @Flag(help: "Open a stream a connection, print 'open', hold all until a line on stdin.")
  var hold = false

  func run() throws {
    let keyList = try keys.map { try Self.keys(in: $0) } ?? ["sk-none"]
    let requests = RequestBytes(
      port: port, path: path, keys: keyList, isStream: stream, bodyBytes: bodyBytes
    ).requests
    _ = TCPSocket.raiseDescriptorLimit(to: 65_536)
    if hold {
      try HeldStreams(port: port, count: connections, requests: requests).run()
      return
    }
    let plan = LoadPlan(
      port: port, connections: connections, seconds: seconds, calls: calls, rate: rate,
      isStream: stream, readsTimestamps: timestamps)
    let result = try Load(plan, requests: requests).run()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    FileHandle.standardOutput.write(try encoder.encode(result) + Data("\n".utf8))
    if result.errors > 0 { throw ExitCode(1) }
  }

  private static func keys(in file: String) throws -> [String] {
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(whereSeparator: \.isNewline)
    guard !lines.isEmpty else { throw ValidationError("\(file) holds no key") }
    return lines.map(String.init)
  }
}
