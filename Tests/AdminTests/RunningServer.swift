// An admin server on a free port for the length of a test.

import Admin
import Foundation
import Logging
import ServiceLifecycle
import TestSupport

private struct NoPort: Error {}

/// Runs the server, hands its port to the body, stops it.
func withServer<Result: Sendable>(
  _ control: ExampleControl, allowedHosts: [String] = [], secret: String? = nil,
  _ body: @Sendable (_ port: Int) async throws -> Result
) async throws -> Result {
  let ports = AsyncStream.makeStream(of: Int.self)
  var logger = Logger(label: "admin-tests")
  logger.logLevel = .critical
  let server = try AdminServer(
    control: control, port: 0, allowedHosts: allowedHosts, secret: secret, logger: logger
  ) { ports.continuation.yield($0) }
  let group = ServiceGroup(
    configuration: ServiceGroupConfiguration(services: [server], logger: logger))
  return try await withThrowingTaskGroup(of: Void.self) { tasks in
    tasks.addTask { try await group.run() }
    var iterator = ports.stream.makeAsyncIterator()
    guard let port = await iterator.next() else { throw NoPort() }
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(port)) } catch { result = .failure(error) }
    // As in production: gracefully, and to the end.
    await group.triggerGracefulShutdown()
    try await tasks.waitForAll()
    return try result.get()
  }
}

/// One request whose connection closes after the answer.
@Sendable func ask(
  _ target: String, port: Int, method: String = "GET", host: String? = "localhost"
) async throws -> RawAnswer {
  let hostLine = host.map { "Host: \($0)\r\n" } ?? ""
  return try await exchange(
    "\(method) \(target) HTTP/1.1\r\n\(hostLine)Connection: close\r\n\r\n", port: port)
}

/// Sends bytes as they are, reads one answer.
@Sendable func exchange(_ request: String, port: Int) async throws -> RawAnswer {
  try await onThread {
    let socket = try RawSocket(port: port)
    try socket.send(request)
    let isHead = request.hasPrefix("HEAD ")
    var answer = try socket.answer(isBodiless: isHead)
    // What comes all the same must be seen.
    if isHead { answer.body = try socket.receiveAll() }
    return answer
  }
}
