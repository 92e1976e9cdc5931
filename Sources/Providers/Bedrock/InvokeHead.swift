// What the head of an InvokeModel answer says of its cost: the tokens, which some makers' bodies do
// not tell, and the service tier.

import Metering

/// The figures of one answer's head.
public struct InvokeHead: Sendable {
  private var figures = AnthropicFigures()
  private var hasFigures = false
  private var tier: String?

  /// - Parameter operation: an embedding has no output, and no count of it.
  public init(_ operation: Operation) {
    if operation == .invokeEmbed { figures.set(.output, 0) }
  }

  /// Takes a header of the answer.
  public mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    let fields: [(StaticString, AnthropicFigures.Field)] = [
      ("x-amzn-bedrock-input-token-count", .input),
      ("x-amzn-bedrock-output-token-count", .output),
      ("x-amzn-bedrock-cache-read-input-token-count", .cacheRead),
      ("x-amzn-bedrock-cache-write-input-token-count", .cacheWrite),
    ]
    for (known, field) in fields where equalsIgnoringCase(name, known) {
      hasFigures = true
      let isDigits = (1...15).contains(value.count) && value.allSatisfy { 0x30...0x39 ~= $0 }
      figures.set(field, isDigits ? Int64(String(decoding: value, as: UTF8.self)) : nil)
    }
    if equalsIgnoringCase(name, "x-amzn-bedrock-service-tier"), (1...64).contains(value.count) {
      tier = String(decoding: value, as: UTF8.self)
    }
    if equalsIgnoringCase(name, "x-amzn-bedrock-performanceconfig-latency"),
      equals(value, "optimized")
    {
      tier = "optimized"
    }
  }

  /// The body's reading, with what only the head told. The body knows more: how long what was
  /// written to the cache is kept.
  public func completing(_ reading: CallReading) -> CallReading {
    var reading = reading
    reading.serviceTier = tier ?? reading.serviceTier
    guard reading.usage == nil, hasFigures else { return reading }
    let normalised = figures.normalised()
    reading.usage = normalised?.usage
    reading.isUsageInconsistent =
      reading.isUsageInconsistent || normalised?.isInconsistent ?? figures.isInconsistent
    return reading
  }
}
