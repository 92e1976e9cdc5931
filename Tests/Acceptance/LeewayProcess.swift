// The real executable as a process: started, read, killed. What a person would do at a terminal.

import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif
import TestSupport

/// A failure of the test's own machinery, with what the process said.
struct ProcessFailure: Error, CustomStringConvertible {
  var description: String
}

/// One finished command.
struct CommandResult {
  var status: Int32
  var output: String
  var errors: String
}

/// A running program whose output is collected in files. It ends with this value.
final class RunningProcess: Sendable {
  private let child: ChildProcess
  private let outputURL: URL
  private let errorsURL: URL

  init(
    _ executable: URL, _ arguments: [String], directory: URL, environment: [String: String] = [:],
    input: URL? = nil
  ) throws {
    let name = "\(executable.lastPathComponent)-\(UUID().uuidString)"
    outputURL = directory.appending(path: name + ".out")
    errorsURL = directory.appending(path: name + ".err")
    child = try ChildProcess(
      executable.path, arguments, directory: directory.path, environment: environment,
      input: input?.path ?? "/dev/null", output: outputURL.path, errors: errorsURL.path)
  }

  var output: String { (try? String(contentsOf: outputURL, encoding: .utf8)) ?? "" }
  var errors: String { (try? String(contentsOf: errorsURL, encoding: .utf8)) ?? "" }

  /// Waits for a line that holds a text on either stream.
  func waitFor(_ text: String, seconds: Double = 180) async throws {
    try await eventually("'\(text)' was printed", seconds: seconds) {
      if self.output.contains(text) || self.errors.contains(text) { return true }
      if let status = self.child.endStatus {
        throw ProcessFailure(
          description: "ended with \(status): \(self.output)\(self.errors)")
      }
      return false
    }
  }

  func wait(seconds: Double = 300) async throws -> CommandResult {
    var status: Int32?
    try await eventually("the process ended", seconds: seconds) {
      status = self.child.endStatus
      return status != nil
    }
    return CommandResult(status: status ?? -1, output: output, errors: errors)
  }

  /// As a loss of the process: no handler runs.
  func kill9() async throws {
    child.signal(SIGKILL)
    _ = try await wait()
  }

  /// As an operator stops it.
  @discardableResult
  func terminate() async throws -> CommandResult {
    child.signal(SIGTERM)
    return try await wait()
  }
}

/// Polls until a condition holds.
func eventually(
  _ what: String, seconds: Double = 20, _ condition: () async throws -> Bool
) async throws {
  let deadline = Date().addingTimeInterval(seconds)
  while Date() < deadline {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(20))
  }
  // Where the other tests keep all threads busy, the sleep may have outlasted the deadline.
  if try await condition() { return }
  throw ProcessFailure(description: "not within \(seconds) s: \(what)")
}

/// The `leeway` executable that was built with the tests.
let leewayExecutable = URL(filePath: CommandLine.arguments[0])
  .deletingLastPathComponent().appending(path: "leeway")

/// An installation in a directory of its own.
final class TestInstallation: Sendable {
  let directory: TemporaryDirectory
  var url: URL { directory.url }
  var thresholds: String { url.appending(path: "thresholds").path }

  /// - Parameters:
  ///   - upstreams: the YAML below `upstreams:`.
  ///   - extra: further YAML of gateway.yaml.
  init(
    upstreams: String = "  rehearsal: { dialect: openai, rehearsal: true }", extra: String = "",
    defaults: String = "", apps: [String: String], prices: String = TestInstallation.prices
  ) throws {
    directory = try TemporaryDirectory()
    try write(
      "thresholds/gateway.yaml",
      """
      listen: { host: 127.0.0.1, port: 0 }
      admin: { host: 127.0.0.1, port: 0 }
      upstreams:
      \(upstreams)
      \(extra)
      """)
    try write("thresholds/defaults.yaml", "upstream: rehearsal\n" + defaults)
    try write("thresholds/prices/openai.yaml", prices)
    for (name, text) in apps { try write("thresholds/apps/\(name).yaml", text) }
    // The rehearsal upstream answers from the project's recordings.
    let samples = url.appending(path: "samples")
    try FileManager.default.createDirectory(at: samples, withIntermediateDirectories: true)
    let recorded = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../samples/recorded").standardizedFileURL
    try FileManager.default.createSymbolicLink(
      at: samples.appending(path: "recorded"), withDestinationURL: recorded)
  }

  static let prices = """
    gpt-4o-mini:
      from: 2024-07-18
      inputPerMillion: "0.15"
      outputPerMillion: "0.60"
      outputTokensMax: 16384
    gpt-4o:
      from: 2024-05-13
      inputPerMillion: "2.50"
      outputPerMillion: "10.00"
      outputTokensMax: 16384
    """

  func write(_ path: String, _ text: String) throws {
    let file = url.appending(path: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  /// - Parameter input: a file that the command reads as its standard input.
  func start(
    _ arguments: [String], environment: [String: String] = [:], input: String? = nil
  ) throws -> RunningProcess {
    try RunningProcess(
      leewayExecutable, arguments, directory: url, environment: environment,
      input: input.map { url.appending(path: $0) })
  }

  /// Runs a command to its end.
  func run(_ arguments: String..., environment: [String: String] = [:]) async throws
    -> CommandResult
  {
    try await start(arguments, environment: environment).wait(seconds: 300)
  }

  /// Runs a command that must succeed.
  @discardableResult
  func succeed(_ arguments: String...) async throws -> String {
    let result = try await start(arguments).wait(seconds: 300)
    guard result.status == 0 else {
      throw ProcessFailure(
        description: "leeway \(arguments.joined(separator: " ")) ended with \(result.status): "
          + result.output + result.errors)
    }
    return result.output
  }

  func key(for app: String) async throws -> String {
    try await succeed("keys", "issue", app).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Starts the gateway (or everything) and waits until it serves.
  func startGateway(
    _ command: String = "serve", environment: [String: String] = [:]
  ) async throws -> RunningGateway {
    let process = try start([command], environment: environment)
    try await process.waitFor("is ready")
    return try RunningGateway(process: process)
  }
}

/// A gateway process with the addresses that it printed.
struct RunningGateway {
  let process: RunningProcess
  let gatewayURL: String
  let adminURL: String

  init(process: RunningProcess) throws {
    self.process = process
    func address(_ name: String) throws -> String {
      for line in process.output.split(separator: "\n") {
        let words = line.split(separator: " ")
        if words.count >= 2, words[0] == name { return String(words[1]) }
      }
      throw ProcessFailure(description: "no address of \(name) in: \(process.output)")
    }
    gatewayURL = try address("gateway")
    adminURL = try address("admin")
  }

  /// One HTTP request to either port.
  func request(
    _ url: String, method: String = "GET", key: String? = nil, body: String? = nil
  ) async throws -> (status: Int, headers: [AnyHashable: Any], body: String) {
    guard let url = URL(string: url) else { throw ProcessFailure(description: "bad URL \(url)") }
    var request = URLRequest(url: url)
    request.httpMethod = method
    if let key { request.setValue("Bearer " + key, forHTTPHeaderField: "Authorization") }
    if let body {
      request.httpBody = Data(body.utf8)
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    }
    let (data, response) = try await URLSession.shared.data(for: request)
    guard let http = response as? HTTPURLResponse else {
      throw ProcessFailure(description: "no HTTP answer from \(url)")
    }
    return (http.statusCode, http.allHeaderFields, String(decoding: data, as: UTF8.self))
  }

  /// One chat completion.
  func chat(
    key: String, model: String = "gpt-4o-mini", maxTokens: Int? = 256, content: String = "Hello"
  ) async throws -> (status: Int, body: String) {
    let bound = maxTokens.map { ",\"max_tokens\":\($0)" } ?? ""
    let answer = try await request(
      gatewayURL + "/v1/chat/completions", method: "POST", key: key,
      body: """
        {"model":"\(model)"\(bound),"messages":[{"role":"user","content":"\(content)"}]}
        """)
    return (answer.status, answer.body)
  }
}

/// `leeway rehearse` with one answer for every request, so that calls can be compared.
final class UpstreamProcess: Sendable {
  let port: Int
  private let installation: TestInstallation
  private let process: RunningProcess

  init(answer: String, latencyMilliseconds: Int = 0) throws {
    port = try freePort()
    installation = try TestInstallation(apps: [:])
    process = try installation.start([
      "rehearse", "--port", String(port), "--answer", answer, "--latency",
      String(latencyMilliseconds),
    ])
  }

  func start() async throws { try await process.waitFor("is ready") }

  /// What stands below `upstreams:` in gateway.yaml.
  var yaml: String { "  rehearsal: { dialect: openai, url: \"http://127.0.0.1:\(port)\" }" }
}
