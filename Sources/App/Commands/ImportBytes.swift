// The bytes of a file, one at a time and in bounded memory: logs are larger than memory.

import Foundation

/// A file read from its start in chunks.
struct ByteSource {
  /// A row may be as long as this: a field of many megabytes is fine, a quote that is never closed
  /// must not swallow the machine's memory.
  static let rowBytesMax = 64 << 20
  private static let chunkBytes = 256 << 10

  private let handle: FileHandle
  private let file: String
  private var chunk: [UInt8] = []
  private var position = 0
  private var isAtEnd = false
  /// The line of the next byte, from 1.
  private(set) var line = 1
  /// Bytes taken from the file so far.
  private(set) var bytesRead = 0

  /// Opens a file and passes over a byte-order mark.
  /// - Throws: `unreadable` where it is no readable file.
  init(file: String) throws(ImportFault) {
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory)
    guard exists, !isDirectory.boolValue else {
      throw ImportFault(
        .unreadable, isDirectory.boolValue ? "\(file) is a folder" : "there is no file \(file)",
        hint: "Name a file of JSON Lines (.jsonl, .ndjson) or CSV (.csv).")
    }
    do { handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file)) } catch {
      throw Self.unreadable(file, error)
    }
    self.file = file
    try fill()
    if chunk.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// The next byte; nil at the end.
  mutating func next() throws(ImportFault) -> UInt8? {
    if position == chunk.count {
      guard !isAtEnd else { return nil }
      try fill()
      guard !chunk.isEmpty else { return nil }
    }
    let byte = chunk[position]
    position += 1
    if byte == UInt8(ascii: "\n") { line += 1 }
    return byte
  }

  /// Moves bytes that need no look at them to the end of a row: those before the first of the
  /// stops, or some of them. The line feed must be among the stops.
  mutating func moveRun(before stops: [UInt8], to row: inout [UInt8]) {
    let length = chunk.withUnsafeBytes { all in
      guard let start = all.baseAddress, position < all.count else { return 0 }
      // Bounded, so that a stop far off is not searched for again and again.
      var length = min(all.count - position, 4_096)
      for stop in stops {
        if let found = memchr(start + position, Int32(stop), length) {
          length = UnsafeRawPointer(found) - (start + position)
        }
      }
      return length
    }
    row.append(contentsOf: chunk[position..<position + length])
    position += length
  }

  /// The next byte, which stays the next.
  mutating func peek() throws(ImportFault) -> UInt8? {
    if position == chunk.count {
      guard !isAtEnd else { return nil }
      try fill()
    }
    return position < chunk.count ? chunk[position] : nil
  }

  /// A carriage return alone ends a line too.
  mutating func countLine() { line += 1 }

  private mutating func fill() throws(ImportFault) {
    position = 0
    do { chunk = [UInt8](try handle.read(upToCount: Self.chunkBytes) ?? Data()) } catch {
      throw Self.unreadable(file, error)
    }
    isAtEnd = chunk.isEmpty
    bytesRead += chunk.count
  }

  private static func unreadable(_ file: String, _ error: any Error) -> ImportFault {
    ImportFault(
      .unreadable, "\(file) cannot be read", hint: "Check that it exists and that you may read it.",
      cause: (error as NSError).localizedDescription)
  }
}
