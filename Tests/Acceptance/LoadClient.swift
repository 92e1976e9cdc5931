// A load of many callers at a time, each on a keep-alive connection and a thread of its own.

import Foundation
import TestSupport

/// Offers calls over keep-alive connections, a fixed number at a time.
struct LoadClient {
  let url: String
  let key: String

  /// How often each status came. A caller whose connection breaks stops.
  /// - Parameter onAnswer: called with the status of each answer that came whole.
  func run(
    calls: Int, atATime: Int, onAnswer: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws -> [Int: Int] {
    guard let port = URL(string: url)?.port else {
      throw ProcessFailure(description: "no port in \(url)")
    }
    let body = """
      {"model":"gpt-4o-mini","max_tokens":64,"messages":[{"role":"user","content":"Hello"}]}
      """
    let request = """
      POST /v1/chat/completions HTTP/1.1\r
      host: 127.0.0.1\r
      authorization: Bearer \(key)\r
      content-type: application/json\r
      content-length: \(body.utf8.count)\r
      \r
      \(body)
      """
    return try await withThrowingTaskGroup(of: [Int: Int].self) { group in
      for worker in 0..<atATime {
        let share = calls / atATime + (worker < calls % atATime ? 1 : 0)
        group.addTask {
          try await onThread {
            var statuses: [Int: Int] = [:]
            let socket = try RawSocket(port: port)
            defer { socket.close() }
            for _ in 0..<share {
              // A gateway that was killed ends the caller's work; what came before still counts.
              guard (try? socket.send(request)) != nil, let answer = try? socket.answer() else {
                return statuses
              }
              statuses[answer.status, default: 0] += 1
              onAnswer(answer.status)
            }
            return statuses
          }
        }
      }
      return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }
  }
}
