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
    (1...nameBytesMax).contains(name.utf8.count)
      && name.utf8.allSatisfy { isAlphanumeric($0) || "_-".utf8.contains($0) }
  }
}

/// The sink of a batch's creation. What the provider alone decides on (the window, metadata) is
/// not looked at.
struct BatchRequestSink: RequestSink {
  private enum Key: UInt8, RequestKey, CaseIterable {
    case inputFileID, endpoint
    // Other places of requests, and what may choose their model, at Azure and at servers of the
    // same API.
    case inputBlob, inputFiles, requests, model

    static let all = allCases

    var name: StaticString {
      switch self {
      case .inputFileID: "input_file_id"
      case .endpoint: "endpoint"
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
    default: other(at: range.lowerBound)
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if depth == 1, value != .null { other(at: range.lowerBound) }
  }

  /// A value of another kind than the two that are read.
  private mutating func other(at offset: Int) {
    switch top {
    case .inputFileID, .endpoint: if let top { note(.wrong(top.name, "a string", at: offset)) }
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
