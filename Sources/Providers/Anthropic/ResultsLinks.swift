// Where a message batch's results are: the provider says so with a whole URL, which Anthropic's
// packages then call as it stands, past the gateway and with the gateway's key. The gateway hands
// out the URL's path alone, which they join to the base URL that they were given.
//
// Spaces behind the value take the place of what is left out, so that the answer stays as long as
// its head says.

/// Shortens the values of `results_url` in an answer, in any split of its bytes.
public struct ResultsLinks: Sendable {
  private enum State {
    /// So many bytes of the name have come.
    case name(matched: Int)
    case colon
    case value
    /// In the value, whose bytes are held back.
    case text
  }

  private static let name: StaticString = "\"results_url\""
  /// A longer value is passed on as it is.
  static let valueBytesMax = 2_048

  private var state = State.name(matched: 0)
  private var held: [UInt8] = []

  public init() {}

  /// - Returns: what of the answer the caller gets now.
  public mutating func take(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + held.count)
    for byte in bytes { take(byte, &out) }
    return out
  }

  /// The answer is over.
  /// - Returns: what was held back.
  public mutating func finish() -> [UInt8] {
    defer { held = [] }
    return held
  }

  private mutating func take(_ byte: UInt8, _ out: inout [UInt8]) {
    switch state {
    case .name(let matched):
      out.append(byte)
      if byte == Self.name.utf8Start[matched] {
        let isWhole = matched + 1 == Self.name.utf8CodeUnitCount
        state = isWhole ? .colon : .name(matched: matched + 1)
      } else {
        state = Self.start(with: byte)
      }
    case .colon:
      out.append(byte)
      guard !Self.isSpace(byte) else { return }
      state = byte == UInt8(ascii: ":") ? .value : Self.start(with: byte)
    case .value:
      out.append(byte)
      guard !Self.isSpace(byte) else { return }
      state = byte == UInt8(ascii: "\"") ? .text : .name(matched: 0)
    case .text:
      held.append(byte)
      let isEnd = byte == UInt8(ascii: "\"")
      guard isEnd || byte == UInt8(ascii: "\\") || held.count > Self.valueBytesMax else { return }
      // An escape is in no URL that a provider gives: such a value stays.
      out += isEnd ? Self.shortened(held) : held
      held = []
      state = .name(matched: 0)
    }
  }

  /// A URL with its closing quote, without scheme and host and as many spaces longer.
  private static func shortened(_ url: [UInt8]) -> [UInt8] {
    let text = String(decoding: url, as: UTF8.self)
    guard let scheme = ["https://", "http://"].first(where: text.hasPrefix),
      let path = url.dropFirst(scheme.utf8.count).firstIndex(of: UInt8(ascii: "/"))
    else { return url }
    return url[path...] + [UInt8](repeating: UInt8(ascii: " "), count: path)
  }

  private static func start(with byte: UInt8) -> State {
    .name(matched: byte == UInt8(ascii: "\"") ? 1 : 0)
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }
}

extension Endpoint {
  /// Whether the answer may say with whole URLs where results are.
  ///
  /// - Parameter path: as in `classify`.
  public func linksResults(_ path: UnsafeRawBufferPointer) -> Bool {
    if self == .metered(.messageBatches) { return true }
    guard self == .stored else { return false }
    let path = PathTail(path)
    return path.ends(with: "/messages/batches") || path.isItem(in: "/messages/batches")
      || path.isPart("/cancel", ofItemIn: "/messages/batches")
  }
}
