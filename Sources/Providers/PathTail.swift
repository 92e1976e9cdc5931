// A path, asked about its end and its query.

/// A path and its query, as a caller sent them.
struct PathTail {
  /// The path without its query.
  let bytes: UnsafeRawBufferPointer
  /// The query without its question mark; empty where there is none.
  let query: UnsafeRawBufferPointer

  init(_ path: UnsafeRawBufferPointer) {
    let end = path.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
    bytes = UnsafeRawBufferPointer(rebasing: path[..<(end ?? path.count)])
    query = UnsafeRawBufferPointer(rebasing: path[min((end ?? path.count) + 1, path.count)...])
  }

  /// No escapes, no empty and no dot segments: the path means what it says.
  var isPlain: Bool {
    var before: UInt8 = 0
    for (index, byte) in bytes.enumerated() {
      if byte == UInt8(ascii: "%") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\\") {
        return false
      }
      if before == UInt8(ascii: "/") {
        if byte == UInt8(ascii: "/") { return false }
        if byte == UInt8(ascii: "."), isDotSegment(from: index) { return false }
      }
      before = byte
    }
    return bytes.first == UInt8(ascii: "/")
  }

  private func isDotSegment(from index: Int) -> Bool {
    var index = index
    while index < bytes.count, bytes[index] == UInt8(ascii: ".") { index += 1 }
    return index == bytes.count || bytes[index] == UInt8(ascii: "/")
  }

  /// The first value of a parameter of the query, in at most 256 bytes without escapes; nil where
  /// there is none.
  func queryValue(_ name: StaticString) -> String? {
    for parameter in query.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
      guard let equal = parameter.firstIndex(of: UInt8(ascii: "=")),
        equals(UnsafeRawBufferPointer(rebasing: parameter[..<equal]), name)
      else { continue }
      let value = parameter[(equal + 1)...]
      let isPlain = value.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "%") }
      guard (1...256).contains(value.count), isPlain else { return nil }
      return String(decoding: value, as: UTF8.self)
    }
    return nil
  }

  func ends(with tail: StaticString) -> Bool {
    let count = tail.utf8CodeUnitCount
    guard bytes.count >= count else { return false }
    return equals(UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - count)...]), tail)
  }

  /// Whether the last segment ends in this verb, as Gemini's `models/M:generateContent` does.
  func hasVerb(_ verb: StaticString) -> Bool { ends(with: verb) }

  func contains(_ part: StaticString) -> Bool { range(of: part) != nil }

  /// Whether the path is this collection or something below it.
  func names(_ collection: StaticString) -> Bool {
    if ends(with: collection) { return true }
    guard let end = range(of: collection)?.upperBound else { return false }
    return end + 1 < bytes.count && bytes[end] == UInt8(ascii: "/")
  }

  /// The model that stands before the verb of the last segment, as in `…/models/M:verb`; nil where
  /// there is none.
  var modelBeforeVerb: String? {
    placeBeforeVerb.map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  var placeBeforeVerb: Range<Int>? {
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")),
      let colon = bytes.lastIndex(of: UInt8(ascii: ":")), colon > slash + 1
    else { return nil }
    return slash + 1..<colon
  }

  /// Whether the last segment, with or without a verb, is one of a collection of models.
  var isOfModel: Bool {
    let collections = ["/models", "/tunedModels", "/endpoints"] as [StaticString]
    return collections.contains(where: isItem)
  }

  /// Whether a name that a body gives is that of the resource before the verb: `M`, or a longer
  /// name that ends in `models/M` where the path does.
  func namesResource(_ name: String) -> Bool {
    guard let model = modelBeforeVerb, let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else {
      return false
    }
    if name == model { return true }
    let segments = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let ends = bytes[..<colon].split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard segments.count >= 2, ends.count >= 2 else { return false }
    return segments[segments.count - 1].elementsEqual(ends[ends.count - 1])
      && segments[segments.count - 2].elementsEqual(ends[ends.count - 2])
  }

  /// The NAME of `…/deployments/NAME/…` or `…/engines/NAME/…`, which decides at Azure which model
  /// runs, whatever the body says; nil where the path has neither, and empty where it is no one
  /// segment.
  var deployment: String? {
    for collection in ["/deployments/", "/engines/"] as [StaticString] {
      guard let place = range(of: collection) else { continue }
      let rest = PathTail(UnsafeRawBufferPointer(rebasing: bytes[place.upperBound...]))
      guard let end = rest.bytes.firstIndex(of: UInt8(ascii: "/")), rest.deployment == nil else {
        return ""
      }
      return String(decoding: rest.bytes[..<end], as: UTF8.self)
    }
    return nil
  }

  /// Whether the query has a parameter of this name, in any escaping.
  func hasParameter(_ name: StaticString) -> Bool { parameterCount(name) > 0 }

  /// How often the query has a parameter of this name, in any escaping.
  func parameterCount(_ wanted: StaticString) -> Int {
    query.split(separator: UInt8(ascii: "&")).count { parameter in
      let name = parameter.prefix { $0 != UInt8(ascii: "=") }
      return PercentEscapes.decoded(name).withUnsafeBytes { equals($0, wanted) }
    }
  }

  /// The model of `/model/ID/VERB`, in which SDKs escape a colon and a slash (names of resources
  /// have both), and nothing else is taken; nil where the path has another shape.
  var bedrockModel: String? {
    let prefix: StaticString = "/model/"
    let count = prefix.utf8CodeUnitCount
    guard bytes.count > count, let slash = bytes.lastIndex(of: UInt8(ascii: "/")), slash > count,
      equals(UnsafeRawBufferPointer(rebasing: bytes[..<count]), prefix)
    else { return nil }
    var name: [UInt8] = []
    var index = count
    while index < slash {
      var byte = bytes[index]
      if byte == UInt8(ascii: "%") {
        guard index + 2 < slash else { return nil }
        switch (bytes[index + 1], bytes[index + 2] & 0xDF) {
        case (UInt8(ascii: "3"), UInt8(ascii: "A")): byte = UInt8(ascii: ":")
        case (UInt8(ascii: "2"), UInt8(ascii: "F")): byte = UInt8(ascii: "/")
        default: return nil
        }
        index += 2
      } else if byte == UInt8(ascii: "/") || byte == UInt8(ascii: ";") || byte <= 0x20
        || byte >= 0x7F
      {
        return nil
      }
      name.append(byte)
      index += 1
    }
    let text = String(decoding: name, as: UTF8.self)
    return text == "." || text == ".." ? nil : Self.model(ofResource: text)
  }

  /// The model in the name of a resource of AWS's that has it as its last part: a model, or the
  /// profile that names the regions it may run in. Other names, and those of one's own resources,
  /// stay whole.
  private static func model(ofResource name: String) -> String {
    let kinds = [":foundation-model/", ":inference-profile/"]
    guard name.hasPrefix("arn:"), let slash = name.lastIndex(of: "/"),
      kinds.contains(where: name[...slash].hasSuffix), name.index(after: slash) < name.endIndex
    else { return name }
    return String(name[name.index(after: slash)...])
  }

  /// Whether the path is one segment below this collection.
  func isItem(in collection: StaticString) -> Bool {
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")), slash + 1 < bytes.count else {
      return false
    }
    return PathTail(UnsafeRawBufferPointer(rebasing: bytes[..<slash])).ends(with: collection)
  }

  /// Whether the path is this part of one item of a collection.
  func isPart(_ part: StaticString, ofItemIn collection: StaticString) -> Bool {
    guard ends(with: part) else { return false }
    let item = bytes[..<(bytes.count - part.utf8CodeUnitCount)]
    return PathTail(UnsafeRawBufferPointer(rebasing: item)).isItem(in: collection)
  }

  func range(of part: StaticString) -> Range<Int>? {
    let count = part.utf8CodeUnitCount
    guard bytes.count >= count else { return nil }
    for start in 0...bytes.count - count
    where equals(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), part) {
      return start..<start + count
    }
    return nil
  }
}
