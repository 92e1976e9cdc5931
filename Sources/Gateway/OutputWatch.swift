// Whether a stream has gone beyond what its call may cost, told while it passes.
//
// What it looks at never exceeds what will be billed, so that no stream of a provider that keeps to
// the call's bound is cut: the usage reported so far, and the text that has come, of which no token
// is longer than `tokenBytesMax`. A look costs a copy of the reading, so there is one in 4 KiB.

import Metering
import Providers

/// Watches one stream of a call that something is held for.
struct OutputWatch {
  static let bytesBetweenLooks = 4_096
  /// An event of text is far shorter.
  private static let waitBytesMax = 65_536
  /// The longest token of cl100k_base and o200k_base is 128 bytes, and no published vocabulary is
  /// known to have a longer one of text: taken twice, for those that nobody has seen.
  static let tokenBytesMax: Int64 = 256

  private let estimate: CallEstimate
  private let outputTokens: Int64
  private let reserved: Money
  private let prices: PriceBook
  private let at: Timestamp
  /// The longest text that the bound allows; nil where the text is not what is billed.
  private let textBytesMax: Int64?
  private var bytes = 0
  private var nextLook = Self.bytesBetweenLooks
  /// Where it is cut at the latest, once it has gone beyond its bound.
  private var cutAt: Int?

  /// Nil where nothing is held, or nothing bounds the output.
  ///
  /// - Parameter requestBytes: of the request's body: an answer may repeat it, once a choice.
  init?(
    _ estimate: CallEstimate, operation: Operation?, reserved: Money, prices: PriceBook,
    requestBytes: Int, at: Timestamp
  ) {
    guard case .atMost = estimate.bound, reserved > .zero, estimate.boundsTokens,
      let outputTokens = estimate.outputTokens, let operation
    else { return nil }
    self.estimate = estimate
    self.outputTokens = outputTokens
    self.reserved = reserved
    self.prices = prices
    self.at = at
    textBytesMax =
      operation.streamsText && estimate.units.isEmpty && estimate.price?.outputIsText == true
      ? Self.product(outputTokens, Self.tokenBytesMax)
        .addingClamped(Self.product(estimate.choices, Int64(requestBytes)))
      : nil
  }

  private static func product(_ left: Int64, _ right: Int64) -> Int64 {
    let (product, isOver) = left.multipliedReportingOverflow(by: right)
    return isOver ? .max : product
  }

  /// Takes some more bytes of the payload.
  ///
  /// - Parameters:
  ///   - isBetweenEvents: the caller can be told: a cut waits for that, but not for long.
  ///   - reading: what the answer told so far.
  /// - Returns: whether it has gone beyond its bound, and is to be cut now.
  mutating func isPassed(
    after count: Int, isBetweenEvents: Bool, _ reading: () -> CallReading
  ) -> Bool {
    bytes += count
    if cutAt == nil, bytes >= nextLook {
      nextLook = bytes + Self.bytesBetweenLooks
      if isBeyond(reading()) { cutAt = bytes + Self.waitBytesMax }
    }
    guard let cutAt else { return false }
    return isBetweenEvents || bytes >= cutAt
  }

  /// Not once it has said why it stopped: there is nothing left to save.
  private func isBeyond(_ reading: CallReading) -> Bool {
    guard !reading.isComplete, reading.finishReason?.isEmpty ?? true else { return false }
    if let textBytesMax, reading.outputTextBytes > textBytesMax { return true }
    guard let usage = reading.usage else { return false }
    return usage.outputTotal > outputTokens || cost(of: usage, reading) > reserved
  }

  private func cost(of usage: Usage, _ reading: CallReading) -> Money {
    prices.cost(
      of: usage, otherModels: reading.otherModels, model: estimate.model, asked: estimate.price,
      responseModel: reading.responseModel, serviceTier: reading.served, at: at)?.amount ?? .zero
  }
}

extension Operation {
  /// All that its stream holds under the model's name is the model's text: no sound, no picture,
  /// no repeated prompt.
  fileprivate var streamsText: Bool {
    switch self {
    case .chatCompletions, .responses, .messages, .streamGenerateContent, .converseStream,
      .ollamaChat, .ollamaGenerate:
      true
    default: false
    }
  }
}

extension ModelPrice {
  /// No output but text has a rate: sound and pictures in base 64 are longer than their tokens.
  fileprivate var outputIsText: Bool {
    [.outputAudio, .outputImage, .outputVideo].allSatisfy { base[$0] == nil }
  }
}
