// Hears the parts of a request that makes a batch of OpenAI's: which file its requests stand in.

/// Where the requests of a batch stand, and what each of them asks for.
public struct BatchInput: Hashable, Sendable {
  /// The provider's name of the file; fit for a path.
  public var fileID: String
  /// `metered`, or `free`.
  public var endpoint: Endpoint

  /// The longest name of a file.
  static let nameBytesMax = 128

  /// Whether a name of the provider's, of a file or a job, means itself in a path.
  public static func isPlain(_ name: String) -> Bool {
    (1...nameBytesMax).contains(name.utf8.count) && name.utf8.allSatisfy(isNameByte)
  }

  /// Whether a byte may stand in such a name.
  static func isNameByte(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
  }
}

/// The sink of a batch's creation. What the provider alone decides on (metadata) is not looked at.
struct BatchRequestSink: RequestSink {
  private enum Key: UInt8, RequestKey, CaseIterable {
    case inputFileID, endpoint, completionWindow
    // Other places of requests, and what may choose their model, at Azure and at servers of the
    // same API.
    case inputBlob, inputFiles, requests, model

    static let all = allCases

    var name: StaticString {
      switch self {
      case .inputFileID: "input_file_id"
      case .endpoint: "endpoint"
      case .completionWindow: "completion_window"
      case .inputBlob: "input_blob"
      case .inputFiles: "input_files"
      case .requests: "requests"
      case .model: "model"
      }
    }
  }

  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var said = SaidKeys<Key>()
  private var top: Key?
  private var fileID: String?
  private var endpoint: Endpoint?

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 1 { other(at: offset) }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 { top = said.key(text, at: range.lowerBound, fault: &fault) }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard depth == 1 else { return }
    switch top {
    case .inputFileID:
      guard let name = text.string, BatchInput.isPlain(name) else {
        let form = "1 to \(BatchInput.nameBytesMax) letters, digits, '_' or '-'"
        return note(.wrong("input_file_id", form, at: range.lowerBound))
      }
      fileID = name
    case .endpoint: endpoint = Endpoint.ofBatch(text)
    case .completionWindow:
      guard let window = text.string.flatMap(Self.milliseconds) else {
        return note(.wrong("completion_window", Self.windowForm, at: range.lowerBound))
      }
      request.jobWindowMilliseconds = window
    default: other(at: range.lowerBound)
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if depth == 1, value != .null { other(at: range.lowerBound) }
  }

  private static let windowForm = "hours or days up to 30 days, such as \"24h\" or \"7d\""

  /// How long a window is, which is written as hours or days; nil where it is not.
  private static func milliseconds(_ window: String) -> Int64? {
    let hours: Int64
    switch window.last {
    case "h": hours = 1
    case "d": hours = 24
    default: return nil
    }
    let digits = window.dropLast().utf8
    guard (1...3).contains(digits.count), digits.allSatisfy({ 0x30...0x39 ~= $0 }),
      let count = Int64(window.dropLast()), 1...720 ~= count * hours
    else { return nil }
    return count * hours * 3_600_000
  }

  /// A value of another kind than the strings that are read.
  private mutating func other(at offset: Int) {
    switch top {
    case .inputFileID, .endpoint, .completionWindow:
      if let top { note(.wrong(top.name, "a string", at: offset)) }
    case let key?: request.unboundablePart = request.unboundablePart ?? "'\(key.name)'"
    case nil: break
    }
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    request.jobKind = .batch
    guard request.unboundablePart == nil else { return request }
    guard let fileID else {
      request.unboundablePart = "its missing 'input_file_id'"
      return request
    }
    guard let endpoint else {
      request.unboundablePart = "its 'endpoint', which this gateway does not know"
      return request
    }
    request.batchInput = BatchInput(fileID: fileID, endpoint: endpoint)
    return request
  }
}
