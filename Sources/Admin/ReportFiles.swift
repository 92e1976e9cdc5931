// Files below the reports directory, and nothing else on the machine.
//
// A path from the network is resolved completely (links included) and must then still lie below the
// resolved root; the resolved path is opened part by part without following links, so that a link
// put there in between does not help either.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads reports by their path in a URL.
struct ReportFiles: Sendable {
  enum Found: Sendable {
    case file(bytes: [UInt8], contentType: String)
    /// Names in it, directories with a trailing slash, latest first.
    case directory(entries: [String])
  }

  let root: String
  /// A larger file is not served.
  static let fileBytesMax = 64 << 20

  /// Nil where there is no such file, or it is not for reading.
  func find(_ path: String) -> Found? {
    guard
      let segments = Self.segments(of: path), let root = Self.resolved(root),
      let target = Self.resolved(([root] + segments).joined(separator: "/"))
    else { return nil }
    guard target == root || target.hasPrefix(root == "/" ? "/" : root + "/") else { return nil }
    // A link may lead to a name that could not be asked for.
    let below = target.dropFirst(root.count).split(separator: "/").map(String.init)
    guard below.allSatisfy(Self.isPlain), let descriptor = Self.open(root, below) else {
      return nil
    }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { return nil }
    switch info.st_mode & S_IFMT {
    case S_IFDIR: return Self.entries(descriptor).map { .directory(entries: $0) }
    case S_IFREG:
      guard
        info.st_size <= Self.fileBytesMax, let name = below.last,
        let bytes = Self.contents(descriptor)
      else { return nil }
      return .file(bytes: bytes, contentType: Self.contentType(of: name))
    default: return nil
    }
  }

  /// The decoded parts of a path; nil where one is not a plain name.
  static func segments(of path: String) -> [String]? {
    var segments: [String] = []
    for part in path.split(separator: "/", omittingEmptySubsequences: true) {
      guard let name = decoded(part), isPlain(name) else { return nil }
      segments.append(name)
    }
    return segments
  }

  /// Not hidden, not a step upwards, nothing that any system reads as a separator.
  private static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".")
      && name.utf8.allSatisfy { $0 >= 32 && $0 != 127 && $0 != 0x2F && $0 != 0x5C }
  }

  private static func decoded(_ part: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = part.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard
        let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue)
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexValue(_ byte: UInt8) -> UInt8? {
    Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
  }

  private static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  private static func open(_ root: String, _ segments: [String]) -> Int32? {
    var current = openat(AT_FDCWD, root, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    for segment in segments {
      guard current >= 0 else { return nil }
      // Without waiting: a named pipe must not hold the request.
      let next = openat(current, segment, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      close(current)
      current = next
    }
    return current >= 0 ? current : nil
  }

  private static func contents(_ descriptor: Int32) -> [UInt8]? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      guard count > 0, bytes.count + count <= fileBytesMax else { return nil }
      bytes += chunk[..<count]
    }
  }

  private static func entries(_ descriptor: Int32) -> [String]? {
    let copy = dup(descriptor)
    guard copy >= 0 else { return nil }
    guard let directory = fdopendir(copy) else {
      close(copy)
      return nil
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard isPlain(name) else { continue }
      var info = stat()
      guard fstatat(descriptor, name, &info, 0) == 0 else { continue }
      names.append(info.st_mode & S_IFMT == S_IFDIR ? name + "/" : name)
    }
    return names.sorted(by: >)
  }

  private static func contentType(of name: String) -> String {
    switch name.split(separator: ".").last.map({ $0.lowercased() }) {
    case "html": "text/html; charset=utf-8"
    case "json": "application/json"
    case "md": "text/markdown; charset=utf-8"
    case "txt", "csv": "text/plain; charset=utf-8"
    case "svg": "image/svg+xml"
    case "png": "image/png"
    default: "application/octet-stream"
    }
  }
}
