// How an answer's body is coded. A closed list: an upstream's bytes must not become a log line, a
// key of an alert or a table that grows without end.

import Wire

/// The coding of one answer, as its `content-encoding` fields say.
enum ContentCoding: String, Hashable, Sendable {
  case identity
  /// Also by its old name, `x-gzip`.
  case gzip
  /// A zlib stream, or DEFLATE without a wrapper.
  case deflate
  case br, zstd, compress
  /// Two codings or more, one over the other.
  case several
  /// A name that is none of these.
  case other

  /// - Parameter bytes: what the fields were read from.
  init(_ fields: HeadFields, in bytes: UnsafeRawBufferPointer) {
    self = .identity
    guard fields.present.contains(.contentEncoding) else { return }
    for slice in fields.slices where slice.field == .contentEncoding {
      for name in bytes[slice.value].split(separator: UInt8(ascii: ",")) {
        let coding = Self.named(String(decoding: name, as: UTF8.self))
        guard coding != .identity else { continue }
        self = self == .identity ? coding : .several
      }
    }
  }

  private static func named(_ text: String) -> ContentCoding {
    switch text.filter({ $0 != " " && $0 != "\t" }).lowercased() {
    case "", "identity": .identity
    case "gzip", "x-gzip": .gzip
    case "deflate": .deflate
    case "br": .br
    case "zstd": .zstd
    case "compress", "x-compress": .compress
    default: .other
    }
  }

  /// How the content is got from it; nil where it is no coding, or one that cannot be read.
  var inflateFormat: Inflate.Format? {
    switch self {
    case .gzip: .gzip
    case .deflate: .deflate
    case .identity, .br, .zstd, .compress, .several, .other: nil
    }
  }
}
