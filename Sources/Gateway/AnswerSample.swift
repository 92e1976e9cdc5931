// A bounded copy of one answer's payload, made only for a call that may become a sample.

import NIOCore

/// Which answers are copied, and the copy.
struct AnswerSample {
  enum Choice {
    case never
    case always
    /// Only answers that are errors.
    case errors
  }

  private let choice: Choice
  private let bytesMax: Int
  private var isCopying = false
  private(set) var bytes = ByteBuffer()
  /// The answer was longer than the bound, or could not be decoded: its text is not here.
  private(set) var isTruncated = false

  init(_ choice: Choice, bytesMax: Int) {
    self.choice = choice
    self.bytesMax = bytesMax
  }

  mutating func begin(status: Int) {
    switch choice {
    case .never: isCopying = false
    case .always: isCopying = true
    case .errors: isCopying = status >= 400
    }
  }

  mutating func append(_ payload: UnsafeRawBufferPointer) {
    guard isCopying else { return }
    guard bytes.readableBytes + payload.count <= bytesMax else { return abandon() }
    bytes.writeBytes(payload)
  }

  /// Gives the copy up: what there is of it is not the answer's text.
  mutating func abandon() {
    guard isCopying else { return }
    isCopying = false
    isTruncated = true
    bytes = ByteBuffer()
  }
}
