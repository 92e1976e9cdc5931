// The fields of a head as slices of the bytes they were read from: no string, no copy.
// Framing is decided while the lines pass, so that nothing is looked up again at the end.

/// One header field; offsets count from the start of the bytes that the head was read from.
public struct FieldSlice: Sendable, Equatable {
  let nameStart: UInt32
  let nameEnd: UInt32
  let valueStart: UInt32
  let valueEnd: UInt32
  /// Which field it is, if it is one that a gateway acts on.
  public let field: KnownField

  public var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
  /// The value without the blanks around it.
  public var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
}

/// The fields of one head, in order.
public struct HeadFields: Sendable {
  public internal(set) var slices: [FieldSlice] = []
  /// Which known fields are there.
  public internal(set) var present = FieldSet()
  /// The value of content-length, if there is one.
  public internal(set) var contentLength: Int?
  /// The connection field (or proxy-connection) names `close`.
  public internal(set) var asksClose = false
  /// The connection field names `keep-alive`.
  public internal(set) var asksKeepAlive = false
  /// The connection field names `upgrade`.
  public internal(set) var asksUpgrade = false
  /// The connection field names other fields, which then must not be relayed.
  public internal(set) var nominatesFields = false

  init() {}

  public var count: Int { slices.count }

  /// The value of the first such field, or nil.
  public func first(_ field: KnownField) -> Range<Int>? {
    guard present.contains(field) else { return nil }
    for slice in slices where slice.field == field { return slice.value }
    return nil
  }

  /// The value of the first field of that name (written in lower case here), or nil.
  /// - Parameter bytes: the bytes that the head was read from.
  public func first(_ lowercase: StaticString, in bytes: UnsafeRawBufferPointer) -> Range<Int>? {
    for slice in slices where ByteClass.equals(bytes, slice.name, lowercase) {
      return slice.value
    }
    return nil
  }

  /// The value as text, for use off the hot path; bytes that are not UTF-8 are replaced.
  public func text(
    _ lowercase: StaticString, in bytes: UnsafeRawBufferPointer
  ) -> String? {
    first(lowercase, in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  /// Empties the fields and keeps the array's storage.
  mutating func removeAll() {
    var kept = slices
    slices = []
    kept.removeAll(keepingCapacity: true)
    self = HeadFields()
    slices = kept
  }
}

extension HeadFields {
  /// Reads one field line, without its line end.
  mutating func readLine(
    _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ side: WireSide, _ limits: HeadLimits
  ) throws(WireFault) {
    if ByteClass.isBlank(bytes[line.lowerBound]) { throw WireFault(.lineFolding, side) }
    let colon = ByteClass.tokenEnd(bytes, line)
    guard colon > line.lowerBound, colon < line.upperBound else {
      throw WireFault(.malformedFieldName, side)
    }
    guard bytes[colon] == ByteClass.colon else {
      let isBlank = ByteClass.isBlank(bytes[colon])
      throw WireFault(isBlank ? .spaceBeforeColon : .malformedFieldName, side)
    }
    guard ByteClass.areValues(bytes, colon &+ 1..<line.upperBound) else {
      throw WireFault(.controlCharacter, side)
    }
    guard slices.count < limits.fieldCountMax else { throw WireFault(.tooManyFields, side) }
    let name = line.lowerBound..<colon
    let value = ByteClass.trimmed(bytes, colon &+ 1..<line.upperBound)
    let field = KnownField.identify(bytes, name)
    // Readers differ in what they strip: around a value that frames a body only spaces may stand.
    if field == .contentLength || field == .transferEncoding,
      bytes[colon &+ 1..<line.upperBound].contains(ByteClass.tab)
    {
      let isLength = field == .contentLength
      throw WireFault(isLength ? .malformedContentLength : .unsupportedTransferEncoding, side)
    }
    // An SDK sends some fifteen fields: room for them at once, in place of five moves.
    if slices.capacity == 0 { slices.reserveCapacity(24) }
    slices.append(
      FieldSlice(
        nameStart: UInt32(name.lowerBound), nameEnd: UInt32(name.upperBound),
        valueStart: UInt32(value.lowerBound), valueEnd: UInt32(value.upperBound), field: field))
    try note(field, value, bytes, side)
    if field == .proxy { noteProxyConnection(name, value, bytes) }
    present.insert(FieldSet(field))
  }

  /// Takes from a field what framing and the connection's life depend on.
  private mutating func note(
    _ field: KnownField, _ value: Range<Int>, _ bytes: UnsafeRawBufferPointer, _ side: WireSide
  ) throws(WireFault) {
    switch field {
    case .contentLength:
      if present.contains(.contentLength) { throw WireFault(.repeatedContentLength, side) }
      if present.contains(.transferEncoding) { throw WireFault(.lengthAndChunked, side) }
      contentLength = try Self.readLength(bytes, value, side)
    case .transferEncoding:
      if present.contains(.transferEncoding) { throw WireFault(.repeatedTransferEncoding, side) }
      if present.contains(.contentLength) { throw WireFault(.lengthAndChunked, side) }
      guard ByteClass.equals(bytes, value, "chunked") else {
        throw WireFault(.unsupportedTransferEncoding, side)
      }
    case .host where side == .request:
      if present.contains(.host) { throw WireFault(.repeatedHost, side) }
      guard !value.isEmpty, bytes[value].allSatisfy(ByteClass.isHost) else {
        throw WireFault(.malformedHost, side)
      }
    case .connection:
      try readConnection(bytes, value, side)
    case .expect where side == .request:
      guard !present.contains(.expect), ByteClass.equals(bytes, value, "100-continue") else {
        throw WireFault(.unsupportedExpectation, side)
      }
    default:
      break
    }
  }

  /// Proxy-connection is no standard, but readers obey it: such a peer closes after this message,
  /// and to close as well is always safe.
  private mutating func noteProxyConnection(
    _ name: Range<Int>, _ value: Range<Int>, _ bytes: UnsafeRawBufferPointer
  ) {
    guard ByteClass.equals(bytes, name, "proxy-connection") else { return }
    var rest = value
    while let option = Self.nextListElement(bytes, &rest) {
      if ByteClass.equals(bytes, option, "close") { asksClose = true }
    }
  }

  /// One plain decimal number: no sign, no list, no leading zero that another might read as octal.
  private static func readLength(
    _ bytes: UnsafeRawBufferPointer, _ value: Range<Int>, _ side: WireSide
  ) throws(WireFault) -> Int {
    guard (1...18).contains(value.count),
      value.count == 1 || bytes[value.lowerBound] != 0x30
    else { throw WireFault(.malformedContentLength, side) }
    var length = 0
    for byte in bytes[value] {
      guard ByteClass.isDigit(byte) else { throw WireFault(.malformedContentLength, side) }
      length = length &* 10 &+ Int(byte &- 0x30)
    }
    return length
  }

  /// The comma-separated names of a connection field.
  private mutating func readConnection(
    _ bytes: UnsafeRawBufferPointer, _ value: Range<Int>, _ side: WireSide
  ) throws(WireFault) {
    var rest = value
    while let option = Self.nextListElement(bytes, &rest) {
      guard bytes[option].allSatisfy(ByteClass.isToken) else {
        throw WireFault(.malformedConnection, side)
      }
      if ByteClass.equals(bytes, option, "close") {
        asksClose = true
      } else if ByteClass.equals(bytes, option, "keep-alive") {
        asksKeepAlive = true
      } else if ByteClass.equals(bytes, option, "upgrade") {
        asksUpgrade = true
      } else {
        // To drop one of these would change where the body ends or where the call goes.
        let field = KnownField.identify(bytes, option)
        guard field != .contentLength, field != .host, field != .transferEncoding else {
          throw WireFault(.malformedConnection, side)
        }
        nominatesFields = true
      }
    }
  }

  /// Takes the next non-empty element off a comma-separated list.
  static func nextListElement(
    _ bytes: UnsafeRawBufferPointer, _ rest: inout Range<Int>
  ) -> Range<Int>? {
    while !rest.isEmpty {
      let comma = rest.first { bytes[$0] == ByteClass.comma } ?? rest.upperBound
      let element = ByteClass.trimmed(bytes, rest.lowerBound..<comma)
      rest = min(comma + 1, rest.upperBound)..<rest.upperBound
      if !element.isEmpty { return element }
    }
    return nil
  }

  /// Whether a connection field names this field as one for this connection only.
  func isNominated(_ name: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Bool {
    guard nominatesFields else { return false }
    for slice in slices where slice.field == .connection {
      var rest = slice.value
      while let option = Self.nextListElement(bytes, &rest) {
        if ByteClass.equals(bytes, option, name) { return true }
      }
    }
    return false
  }
}
