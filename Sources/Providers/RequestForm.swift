// How a request's body is written, as its content type says.

/// The form of a body; only some operations take another than JSON.
public enum RequestForm: Hashable, Sendable {
  case json
  /// `multipart/form-data` with this boundary.
  case multipart(boundary: [UInt8])
  /// A content type that no operation takes, or that parsers may disagree about.
  case unknown

  /// What a `Content-Type` says.
  ///
  /// - Parameter contentType: the field's value as sent; nil where there is none, which is JSON,
  ///   since no server takes a form without its boundary.
  public init(contentType: UnsafeRawBufferPointer?) {
    guard let contentType else {
      self = .json
      return
    }
    let type = contentType.prefix { $0 != UInt8(ascii: ";") }
    let name = UnsafeRawBufferPointer(rebasing: Self.trimmed(type))
    if equalsIgnoringCase(name, "application/json") {
      self = Self.isPlainJSON(contentType[type.endIndex...]) ? .json : .unknown
    } else if equalsIgnoringCase(name, "multipart/form-data"),
      let boundary = Self.boundary(contentType[type.endIndex...])
    {
      self = .multipart(boundary: boundary)
    } else {
      self = .unknown
    }
  }

  /// Whether a content type says of its text no more than that it is UTF-8.
  ///
  /// - Parameter contentType: the field's value as sent.
  public static func isUTF8(_ contentType: UnsafeRawBufferPointer) -> Bool {
    // What nearly all say.
    if equalsIgnoringCase(contentType, "application/json") { return true }
    let text = String(decoding: contentType, as: UTF8.self).lowercased()
    return text.split(separator: ";").dropFirst().allSatisfy { parameter in
      !parameter.contains("charset") || isUTF8(charset: parameter)
    }
  }

  /// - Parameter parameter: in lower case.
  private static func isUTF8(charset parameter: Substring) -> Bool {
    let plain = parameter.drop { $0 == " " || $0 == "\t" }
    return ["charset=utf-8", "charset=\"utf-8\"", "charset=utf8"].contains {
      plain.hasPrefix($0) && plain.dropFirst($0.count).allSatisfy { $0 == " " || $0 == "\t" }
    }
  }

  /// What may stand behind `application/json`: nothing, or that it is UTF-8.
  private static func isPlainJSON(_ rest: Slice<UnsafeRawBufferPointer>) -> Bool {
    let parameter = String(decoding: trimmed(rest.dropFirst()), as: UTF8.self).lowercased()
    return parameter.isEmpty || isUTF8(charset: parameter[...])
  }

  /// The value of `; boundary=VALUE`, the only parameter; nil for anything else. A second
  /// parameter is where parsers part.
  private static func boundary(_ rest: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    let name: StaticString = "boundary="
    let parameter = trimmed(rest.dropFirst())
    guard parameter.count > name.utf8CodeUnitCount,
      equalsIgnoringCase(
        UnsafeRawBufferPointer(rebasing: parameter.prefix(name.utf8CodeUnitCount)), "boundary=")
    else { return nil }
    var value = parameter.dropFirst(name.utf8CodeUnitCount)
    let isQuoted =
      value.first == UInt8(ascii: "\"") && value.last == UInt8(ascii: "\"") && value.count > 2
    if isQuoted { value = value.dropFirst().dropLast() }
    guard (1...70).contains(value.count),
      value.allSatisfy({ isBoundaryByte($0, isQuoted: isQuoted) })
    else { return nil }
    return Array(value)
  }

  /// RFC 2046 section 5.1.1, without the space and what a quoted string could hide. Without quotes
  /// some end the value at what is no byte of a token.
  private static func isBoundaryByte(_ byte: UInt8, isQuoted: Bool) -> Bool {
    isAlphanumeric(byte) || "-_.'+".utf8.contains(byte)
      || isQuoted && "(),/:=?".utf8.contains(byte)
  }

  private static func trimmed(
    _ bytes: Slice<UnsafeRawBufferPointer>
  ) -> Slice<UnsafeRawBufferPointer> {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    var bytes = bytes.drop(while: isSpace)
    while let last = bytes.last, isSpace(last) { bytes = bytes.dropLast() }
    return bytes
  }
}
