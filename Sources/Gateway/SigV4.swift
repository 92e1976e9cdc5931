// Signs requests as AWS wants them: Signature Version 4.
//
// Three texts, each made of the one before: the request in its canonical form, the string to sign,
// the signature. Source: "Create a signed AWS API request", AWS IAM User Guide. Values only; what a
// request's bytes are, and what of them is signed, UpstreamSigning says.

import Crypto
import Providers
import Metering

/// The algorithm for one region's service.
struct SigV4: Sendable {
  /// A header field as it is sent; a name may come more than once.
  struct Field {
    var name: [UInt8]
    var value: [UInt8]
  }

  /// What of a request is signed.
  struct Request {
    var method: [UInt8]
    /// As sent, with its escapes: they are escaped once more, as all services but S3 want it.
    var path: [UInt8]
    /// As sent, without its question mark.
    var query: [UInt8]
    var fields: [Field]
    var body: BodyHash
  }

  /// The digest of a body that comes in pieces.
  struct BodyHash {
    private var hash = SHA256()

    mutating func add(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    /// In lower-case hexadecimal digits.
    var hexadecimal: [UInt8] { SigV4.hexadecimal(hash.finalize()) }
  }

  /// A moment as the algorithm writes it: `20150830T123600Z`.
  struct Stamp {
    let text: String

    init(_ moment: Timestamp) {
      text = moment.iso8601.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    var date: Substring { text.prefix(8) }
  }

  private static let algorithm = "AWS4-HMAC-SHA256"

  let region: String
  let service: String

  // MARK: - The three texts

  func canonicalRequest(_ request: Request) -> [UInt8] {
    let fields = Self.canonicalFields(request.fields)
    var text = request.method + Self.lineEnd
    text += Self.canonicalPath(request.path) + Self.lineEnd
    text += Self.canonicalQuery(request.query) + Self.lineEnd
    for field in fields {
      text += field.name + [UInt8(ascii: ":")] + field.value + Self.lineEnd
    }
    return text + Self.lineEnd + Self.names(of: fields) + Self.lineEnd + request.body.hexadecimal
  }

  func stringToSign(_ canonicalRequest: [UInt8], at stamp: Stamp) -> [UInt8] {
    let head = "\(Self.algorithm)\n\(stamp.text)\n\(scope(of: stamp))\n"
    return Array(head.utf8) + Self.hexadecimal(SHA256.hash(data: canonicalRequest))
  }

  /// The value of the `authorization` field. `request.fields` are all that is signed, `host` and
  /// `x-amz-date` among them.
  func authorization(
    of request: Request, by credentials: AWSCredentials, at stamp: Stamp
  ) -> [UInt8] {
    let text = stringToSign(canonicalRequest(request), at: stamp)
    var key = SymmetricKey(data: Array("AWS4\(credentials.secretKey)".utf8))
    for part in [String(stamp.date), region, service, "aws4_request"] {
      let code = HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key)
      key = SymmetricKey(data: Array(code))
    }
    let signature = Self.hexadecimal(HMAC<SHA256>.authenticationCode(for: text, using: key))
    let names = Self.names(of: Self.canonicalFields(request.fields))
    let head = "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope(of: stamp)), "
    return Array("\(head)SignedHeaders=".utf8) + names + Array(", Signature=".utf8) + signature
  }

  private func scope(of stamp: Stamp) -> String {
    "\(stamp.date)/\(region)/\(service)/aws4_request"
  }

  // MARK: - Canonical parts

  /// Without empty and dot segments, and with every byte escaped that is not unreserved in URLs.
  static func canonicalPath(_ path: [UInt8]) -> [UInt8] {
    let slash = UInt8(ascii: "/")
    var segments: [ArraySlice<UInt8>] = []
    for segment in path.split(separator: slash) {
      if segment.elementsEqual("..".utf8) {
        _ = segments.popLast()
      } else if !segment.elementsEqual(".".utf8) {
        segments.append(segment)
      }
    }
    var text: [UInt8] = []
    for segment in segments { text += [slash] + escaped(segment) }
    return text.isEmpty || path.last == slash ? text + [slash] : text
  }

  /// Sorted by name, then by value, both escaped in one way however they were sent.
  static func canonicalQuery(_ query: [UInt8]) -> [UInt8] {
    let equals = UInt8(ascii: "=")
    let pairs = query.split(separator: UInt8(ascii: "&")).map { parameter in
      let end = parameter.firstIndex(of: equals) ?? parameter.endIndex
      let value = parameter[min(end + 1, parameter.endIndex)...]
      return (
        name: escaped(PercentEscapes.decoded(parameter[..<end])),
        value: escaped(PercentEscapes.decoded(value))
      )
    }
    let sorted = pairs.sorted { left, right in
      left.name == right.name
        ? left.value.lexicographicallyPrecedes(right.value)
        : left.name.lexicographicallyPrecedes(right.name)
    }
    return Array(sorted.map { $0.name + [equals] + $0.value }.joined(separator: "&".utf8))
  }

  /// Names in lower case, sorted and each once; values in their order, without blanks around them
  /// and with one for many.
  static func canonicalFields(_ fields: [Field]) -> [Field] {
    var values: [[UInt8]: [UInt8]] = [:]
    for field in fields {
      let name = field.name.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
      let words = field.value.split { $0 == 0x20 || $0 == 0x09 }
      let value = Array(words.joined(separator: " ".utf8))
      values[name] = values[name].map { $0 + [UInt8(ascii: ",")] + value } ?? value
    }
    return values.map { Field(name: $0, value: $1) }
      .sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  private static func names(of fields: [Field]) -> [UInt8] {
    Array(fields.map(\.name).joined(separator: ";".utf8))
  }

  // MARK: - Bytes

  private static let lineEnd = [UInt8(ascii: "\n")]

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    bytes.flatMap { [digit($0 >> 4, "a"), digit($0 & 15, "a")] }
  }

  private static func escaped(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    bytes.flatMap { byte -> [UInt8] in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: [byte]
      default: [UInt8(ascii: "%"), digit(byte >> 4, "A"), digit(byte & 15, "A")]
      }
    }
  }

  private static func digit(_ value: UInt8, _ ten: Unicode.Scalar) -> UInt8 {
    value < 10 ? 0x30 + value : UInt8(ascii: ten) + value - 10
  }
}
