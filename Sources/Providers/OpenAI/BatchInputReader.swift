// The input file of a batch of OpenAI's: a request a line, held no longer than its line.

/// The members of a line that are read.
private enum BatchLineKey: UInt8, RequestKey, CaseIterable {
  case method, url, body

  static let all = allCases

  var name: StaticString {
    switch self {
    case .method: "method"
    case .url: "url"
    case .body: "body"
    }
  }
}

/// The sink of a line. It finds where the request stands, which is then peeked as any other.
struct BatchLineSink: RequestSink {
  private(set) var fault: PeekFault?
  private var said = SaidKeys<BatchLineKey>()
  private var top: BatchLineKey?
  private var endpoint: Endpoint?
  private var start: Int?
  private var body: Range<Int>?

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    guard depth == 1, let top else { return }
    if top == .body, isObject { start = offset } else { wrong(top, at: offset) }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 1, top == .body, let start { body = start..<offset + 1 }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 { top = said.key(text, at: range.lowerBound, fault: &fault) }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard depth == 1, let top else { return }
    switch top {
    case .method: if !text.equals("POST") { wrong(top, at: range.lowerBound) }
    case .url: endpoint = Endpoint.ofBatch(text)
    case .body: wrong(top, at: range.lowerBound)
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if depth == 1, let top { wrong(top, at: range.lowerBound) }
  }

  private mutating func wrong(_ key: BatchLineKey, at offset: Int) {
    let expected =
      switch key {
      case .method: "\"POST\""
      case .url: "a string"
      case .body: "an object"
      }
    fault = fault ?? .wrong(key.name, expected, at: offset)
  }

  consuming func finished(bodyBytes: Int) -> PeekedRequest { PeekedRequest() }

  /// Peeks a line and the request in it, which comes with its bytes; nil: it costs nothing.
  static func request(
    _ line: UnsafeRawBufferPointer, of input: BatchInput
  ) throws(PeekFault) -> (request: PeekedRequest, body: UnsafeRawBufferPointer)? {
    let sink = try read(line)
    guard sink.endpoint == input.endpoint else {
      throw .meaning("its 'url' is not the 'endpoint' of the batch", at: 0)
    }
    guard let range = sink.body else { throw .meaning("it has no 'body'", at: 0) }
    guard case .metered(let operation) = input.endpoint else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: line[range])
    var request: PeekedRequest
    do throws(PeekFault) {
      request = try operation.peek(
        body, path: UnsafeRawBufferPointer(start: nil, count: 0))
    } catch {
      throw PeekFault(
        message: "Of its 'body': \(error.message)", offset: range.lowerBound + error.offset)
    }
    // Nobody could read what comes of them in a file.
    if request.isStream { request.unboundablePart = request.unboundablePart ?? "'stream'" }
    if request.jobKind != nil {
      request.unboundablePart = request.unboundablePart ?? "'background'"
    }
    return (request, body)
  }
}

/// Reads a batch's input file in any split, a line at a time.
public struct BatchInputReader: Sendable {
  private let input: BatchInput
  private let lineBytesMax: Int
  /// The line so far, where it did not come in one piece.
  private var held: [UInt8] = []
  private var number = 1
  /// Why the file is not taken; what follows it is not read.
  public private(set) var fault: PeekFault?
  /// Requests that were read.
  public private(set) var count = 0

  /// - Parameter lineBytesMax: a longer line is a fault; so much is held at the most.
  public init(_ input: BatchInput, lineBytesMax: Int) {
    self.input = input
    self.lineBytesMax = lineBytesMax
  }

  /// Gets each request that may cost, its bytes for so long, and the number of its line from 1.
  public typealias Take = (PeekedRequest, UnsafeRawBufferPointer, Int) -> Void

  /// How people are told which line it is.
  public static func place(_ line: Int) -> String { "Line \(line) of the batch's input file" }

  /// Reads the next bytes.
  public mutating func feed(_ bytes: UnsafeRawBufferPointer, _ take: Take) {
    forEachLinePiece(of: bytes) { piece, endsLine in
      guard fault == nil else { return }
      guard piece.count <= lineBytesMax - held.count else {
        return refuse("it is longer than the \(lineBytesMax) bytes that this gateway takes")
      }
      if endsLine, held.isEmpty { return endLine(piece, take) }
      held.append(contentsOf: piece)
      if endsLine { endHeld(take) }
    }
  }

  /// The file is over; the last line may lack its end.
  public mutating func finish(_ take: Take) {
    if fault == nil { endHeld(take) }
    if fault == nil, count == 0 {
      fault = PeekFault(message: "The batch's input file has no request.", offset: 0)
    }
  }

  private mutating func endHeld(_ take: Take) {
    var line: [UInt8] = []
    swap(&line, &held)
    line.withUnsafeBytes { endLine($0, take) }
    line.removeAll(keepingCapacity: true)
    held = line
  }

  private mutating func endLine(
    _ bytes: UnsafeRawBufferPointer, _ take: Take
  ) {
    defer { number += 1 }
    let line = bytes.last == 0x0D ? UnsafeRawBufferPointer(rebasing: bytes.dropLast()) : bytes
    // Some readers end a line there: they would see other requests.
    if line.contains(0x0D) { return refuse("a carriage return stands within it") }
    if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return }
    do throws(PeekFault) {
      let read = try BatchLineSink.request(line, of: input)
      count += 1
      if let (request, body) = read { take(request, body, number) }
    } catch {
      fault = PeekFault(
        message: "\(Self.place(number)): \(error.message)", offset: error.offset)
    }
  }

  private mutating func refuse(_ reason: String) {
    fault = PeekFault(message: "\(Self.place(number)): \(reason).", offset: 0)
  }
}
