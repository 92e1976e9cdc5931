// The little of HTTP/1.1 heads that mock and load need: where a head ends and how its body is
// framed.

import CLinux
import Glibc

public enum HTTPFraming: Equatable, Sendable {
  case length(Int)
  case chunked
  case malformed
}

public enum HTTPHead {
  /// The head's length, its empty line included; nil where it has not ended yet.
  public static func end(in bytes: UnsafeRawBufferPointer) -> Int? {
    guard let start = bytes.baseAddress else { return nil }
    guard let found = linux_find(start, bytes.count, "\r\n\r\n", 4) else { return nil }
    return found - start + 4
  }

  /// How the body after this head is framed. No framing header means an empty body in a request;
  /// both of them are malformed.
  public static func framing(of head: UnsafeRawBufferPointer) -> HTTPFraming {
    var length: Int?
    var isChunked = false
    var line = 0
    while line < head.count {
      guard
        let start = head.baseAddress,
        let found = memchr(start + line, 0x0A, head.count - line)
      else { break }
      let next = UnsafeRawPointer(found) - start + 1
      let bytes = UnsafeRawBufferPointer(rebasing: head[line..<next])
      switch bytes.first {
      case UInt8(ascii: "c"), UInt8(ascii: "C"):
        if let value = value(of: "content-length:", in: bytes) {
          guard length == nil, let number = decimal(value) else { return .malformed }
          length = number
        }
      case UInt8(ascii: "t"), UInt8(ascii: "T"):
        if let value = value(of: "transfer-encoding:", in: bytes) {
          guard value.elementsEqual("chunked".utf8) else { return .malformed }
          isChunked = true
        }
      default: break
      }
      line = next
    }
    guard isChunked else { return .length(length ?? 0) }
    return length == nil ? .chunked : .malformed
  }

  /// The value without blanks around it; nil where the line is of another header.
  private static func value(
    of name: StaticString, in line: UnsafeRawBufferPointer
  ) -> Slice<UnsafeRawBufferPointer>? {
    let size = name.utf8CodeUnitCount
    guard line.count > size, let start = line.baseAddress else { return nil }
    guard strncasecmp(start, name.utf8Start, size) == 0 else { return nil }
    let blanks: [UInt8] = [0x20, 0x09, 0x0D, 0x0A]
    var value = line[size...]
    while let first = value.first, blanks.contains(first) { value = value.dropFirst() }
    while let last = value.last, blanks.contains(last) { value = value.dropLast() }
    return value
  }

  private static func decimal(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard !digits.isEmpty, digits.count < 16 else { return nil }
    var number = 0
    for digit in digits {
      guard (0x30...0x39).contains(digit) else { return nil }
      number = number * 10 + Int(digit - 0x30)
    }
    return number
  }
}

private func strncasecmp(
  _ left: UnsafeRawPointer, _ right: UnsafePointer<UInt8>, _ count: Int
) -> Int32 {
  left.withMemoryRebound(to: CChar.self, capacity: count) { left in
    right.withMemoryRebound(to: CChar.self, capacity: count) { right in
      Glibc.strncasecmp(left, right, count)
    }
  }
}
