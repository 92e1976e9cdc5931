// The parts of a form that are read, each said once and plainly.

/// Tells the parts of a form by their names, as `RequestKey` tells the keys of an object.
struct FormFields<Key: RequestKey> {
  private var said = SaidKeys<Key>()

  /// The key that a part is named by; nil where it is not read.
  ///
  /// - Parameter repeats: whether a key may stand more than once.
  mutating func key(
    of part: MultipartForm.Part, repeats: (Key) -> Bool
  ) throws(PeekFault) -> Key? {
    switch Key.match(JSONText(bytes: part.name, count: part.name.count)) {
    case .other: return nil
    case .lookalike(let key): throw .lookalike(key.name, at: part.offset)
    case .key(let key):
      if !said.note(key), !repeats(key) { throw .said(key.name, at: part.offset) }
      return key
    }
  }

  /// The text of a part; what has a file's name is a file to some servers.
  func text(of part: MultipartForm.Part, _ key: Key) throws(PeekFault) -> String {
    guard !part.isFile, let text = String(validating: part.content, as: UTF8.self) else {
      throw .wrong(key.name, "a field of text and no file", at: part.offset)
    }
    return text
  }

  /// True or false, in the spellings that servers agree on.
  func flag(of part: MultipartForm.Part, _ key: Key) throws(PeekFault) -> Bool {
    switch try text(of: part, key) {
    case "true", "True", "1": return true
    case "false", "False", "0": return false
    default: throw .wrong(key.name, "true or false", at: part.offset)
    }
  }
}
