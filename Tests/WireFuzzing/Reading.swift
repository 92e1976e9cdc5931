// What a reader understood of one direction of a connection, as values that can be compared.
// A head is kept as bytes, not as strings: strings compare by meaning, and cost millions of cases.

import Wire

/// One message as a reader understood it.
public struct Message: Equatable, Sendable, CustomStringConvertible {
  /// The start line, then name and value of every field, each ended by a NUL, which none of them
  /// holds: `METHOD TARGET 1.MINOR` of a request, `1.MINOR STATUS` of an answer.
  public var head: [UInt8] = []
  public var fieldCount = 0
  public var body: [UInt8] = []
  public var isComplete = false

  public init() {}

  private var parts: [String] {
    head.split(separator: 0, omittingEmptySubsequences: false).dropLast()
      .map { String(decoding: $0, as: UTF8.self) }
  }

  public var startLine: String { parts.first ?? "" }

  /// `NAME=VALUE`, in order.
  public var fields: [String] {
    let parts = parts
    return stride(from: 1, to: parts.count - 1, by: 2).map { parts[$0] + "=" + parts[$0 + 1] }
  }

  public var description: String {
    let text = body.map { $0 >= 0x20 && $0 < 0x7F ? String(UnicodeScalar($0)) : "\\\($0)" }
    return "[\(startLine)] \(fields) body(\(body.count)) '\(text.joined())'"
      + (isComplete ? "" : " …")
  }
}

/// All that our readers understood.
public struct Transcript: Equatable, Sendable {
  public var messages: [Message] = []
  public var fault: WireFault.Code?
  /// The connection carries nothing more: the last message asked to close, or its body ends there.
  public var isClosed = false

  public init() {}
}

/// All that NIOHTTP1 understood.
public struct OtherReading: Equatable, Sendable {
  public var messages: [Message] = []
  public var isRefused = false

  public init() {}
}

extension Transcript {
  /// What the other reading lacks or says otherwise of the messages accepted here, or nil.
  public func difference(from other: OtherReading) -> String? {
    for (index, message) in messages.enumerated() {
      // Where a fault stops us in a body, only the head was accepted.
      let isJudged = message.isComplete || fault == nil
      guard index < other.messages.count else {
        return isJudged ? "message \(index) was refused or not seen" : nil
      }
      let seen = other.messages[index]
      guard message.fieldCount == seen.fieldCount, Self.areEqual(message.head, seen.head) else {
        return "head of message \(index): \(message.startLine) \(message.fields)"
          + " != \(seen.startLine) \(seen.fields)"
      }
      guard isJudged else { return nil }
      guard message.body == seen.body else { return "body of message \(index)" }
      if message.isComplete, !seen.isComplete { return "message \(index) does not end" }
      if !message.isComplete, seen.isComplete { return "message \(index) ends early" }
    }
    // Without a fault of ours, and while the connection lives, neither sees a message more.
    if fault == nil, !isClosed, other.messages.count > messages.count {
      return "a message more: \(other.messages[messages.count])"
    }
    return nil
  }

  /// NIO's strings cannot hold bytes that are no UTF-8: it repairs them, so repair ours as well.
  private static func areEqual(_ own: [UInt8], _ other: [UInt8]) -> Bool {
    own == other || Array(String(decoding: own, as: UTF8.self).utf8) == other
  }
}
