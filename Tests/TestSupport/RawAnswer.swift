// An HTTP answer as a test sees it, read by the simplest reader that can be right.

import Foundation

public struct RawAnswer: Sendable {
  public var status: Int
  public var head: String
  /// Without chunk framing.
  public var body: [UInt8]

  public init(status: Int, head: String, body: [UInt8]) {
    self.status = status
    self.head = head
    self.body = body
  }

  public var text: String { String(decoding: body, as: UTF8.self) }

  public func header(_ name: String) -> String? {
    for line in head.split(separator: "\r\n").dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts[0].lowercased() == name.lowercased() {
        return parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
      }
    }
    return nil
  }
}

extension RawSocket {
  /// Reads one answer. - Parameter isBodiless: the request was HEAD.
  public func answer(isBodiless: Bool = false) throws -> RawAnswer {
    let head = String(decoding: try receive(through: "\r\n\r\n"), as: UTF8.self)
    let status = Int(head.split(separator: " ")[1]) ?? 0
    var answer = RawAnswer(status: status, head: head, body: [])
    if isBodiless || status < 200 || status == 204 || status == 304 { return answer }
    if answer.header("transfer-encoding") == "chunked" {
      while true {
        let line = String(decoding: try receive(through: "\r\n").dropLast(2), as: UTF8.self)
        guard let count = Int(line, radix: 16) else { throw SocketFault("chunk size '\(line)'") }
        if count > 0 { answer.body += try receive(count: count) }
        guard try receive(count: 2) == [13, 10] else { throw SocketFault("chunk end") }
        if count == 0 { return answer }
      }
    }
    if let length = answer.header("content-length").flatMap({ Int($0) }) {
      answer.body = try receive(count: length)
    } else {
      answer.body = try receiveAll()
    }
    return answer
  }
}
