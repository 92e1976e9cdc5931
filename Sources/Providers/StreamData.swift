// The data of a whole event stream, for samples.

/// Splits a recorded stream into its events' documents.
enum StreamData {
  /// The JSON documents of all events, `[DONE]` and what is no JSON left out.
  static func events(of body: [UInt8]) -> [JSONTree] {
    var documents: [JSONTree] = []
    var data: [UInt8] = []
    func flush() {
      if let document = data.withUnsafeBytes({ JSONTree($0, isStrict: false) }) {
        documents.append(document)
      }
      data.removeAll(keepingCapacity: true)
    }
    // Both bytes of a CR LF end a line here; the empty line between them must not end an event.
    var index = body.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    body.withUnsafeBytes { bytes in
      while index < bytes.count {
        let end = lineEnd(bytes, from: index)
        let line = bytes[index..<end]
        index = end + 1
        if end < bytes.count, bytes[end] == 0x0D, index < bytes.count, bytes[index] == 0x0A {
          index += 1
        }
        if line.isEmpty {
          flush()
        } else if line.starts(with: Array("data:".utf8)) {
          if !data.isEmpty { data.append(0x0A) }
          data.append(contentsOf: line.dropFirst(5))
        }
      }
    }
    flush()
    return documents
  }
}
