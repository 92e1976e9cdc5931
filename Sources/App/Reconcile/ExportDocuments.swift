// The JSON documents of a file: one, several one after the other (pages as they were fetched, JSON
// Lines), or the elements of one array. Each is read strictly on its own.

import Providers

/// Takes a file apart into its documents.
struct ExportDocuments {
  private let bytes: [UInt8]
  private let file: String
  private var position = 0
  private var line = 1
  /// Nil until the first byte that is no blank.
  private var isArray: Bool?
  private var count = 0

  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// How far it is, in bytes.
  var done: Int { position }

  /// The next document; nil after the last.
  /// - Throws: where the file ends in the middle, or something stands between documents.
  mutating func next() throws(ReconcileFault) -> ExportNode? {
    var byte = skipBlanks()
    if isArray == nil {
      isArray = byte == UInt8(ascii: "[")
      if isArray == true {
        position += 1
        byte = skipBlanks()
      }
    }
    if isArray == true {
      if byte == UInt8(ascii: "]") { return try end() }
      if count > 0 {
        guard byte == UInt8(ascii: ",") else { throw unexpected(byte) }
        position += 1
        byte = skipBlanks()
      }
    } else if byte == nil {
      return nil
    }
    guard byte == UInt8(ascii: "{") else { throw unexpected(byte) }
    let place = ReconcileFault.Place(file: file, line: line)
    let start = position
    try skipObject(from: place)
    count += 1
    guard let tree = bytes[start..<position].withUnsafeBytes({ JSONTree($0, isStrict: true) })
    else {
      throw ReconcileFault(
        "the document that starts here is no JSON", at: place, hint: ReconcileFault.fetchAgain)
    }
    return ExportNode(tree: tree, place: place)
  }

  /// After an array: nothing may follow.
  private mutating func end() throws(ReconcileFault) -> ExportNode? {
    position += 1
    if let byte = skipBlanks() { throw unexpected(byte) }
    // Again at the end when asked once more.
    isArray = false
    return nil
  }

  private mutating func skipBlanks() -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\n"): line += 1
      case 0x20, 0x09, 0x0D: break
      default: return bytes[position]
      }
      position += 1
    }
    return nil
  }

  /// To the brace that closes the one here; what lies between is not judged yet.
  private mutating func skipObject(from place: ReconcileFault.Place) throws(ReconcileFault) {
    var depth = 0
    var isInString = false
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\n"): line += 1
      case UInt8(ascii: "\\") where isInString: position += 1
      case UInt8(ascii: "\""): isInString.toggle()
      case UInt8(ascii: "{") where !isInString: depth += 1
      case UInt8(ascii: "}") where !isInString:
        depth -= 1
        if depth == 0 { return }
      default: break
      }
    }
    throw ReconcileFault(
      "the file ends in the middle of the document that starts here", at: place,
      hint: "The export is cut off: fetch it again.")
  }

  private func unexpected(_ byte: UInt8?) -> ReconcileFault {
    let place = ReconcileFault.Place(file: file, line: line)
    guard byte != nil else {
      return ReconcileFault(
        "the file ends before its list does", at: place,
        hint: "The export is cut off: fetch it again.")
    }
    return ReconcileFault(
      "something other than a page stands here", at: place,
      hint: "A file holds the pages as the provider sends them: one, several, or a list of them.")
  }
}
