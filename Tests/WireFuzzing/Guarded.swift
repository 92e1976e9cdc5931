// Bytes that end where readable memory ends: one byte read too far is a crash, not a lucky pass.

import Wire

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory followed by a page that cannot be read. Not shared between threads.
public final class GuardedMemory {
  private static let capacity = 1 << 20
  private let base: UnsafeMutableRawPointer
  private let mappedBytes: Int

  public init() {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    mappedBytes = Self.capacity + page
    let memory = mmap(
      nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED,
      mprotect(memory + Self.capacity, page, PROT_NONE) == 0
    else { preconditionFailure("no guarded memory for the test: mmap or mprotect failed") }
    base = memory
  }

  deinit { munmap(base, mappedBytes) }

  /// Gives the body a copy of the bytes that ends at the page. - Parameter bytes: 1 MiB at most.
  public func withBytes<Result>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(WireFault) -> Result
  ) throws(WireFault) -> Result {
    precondition(bytes.count <= Self.capacity, "more bytes than the guarded memory holds")
    let start = base + (Self.capacity - bytes.count)
    bytes.withUnsafeBytes { source in
      if let first = source.baseAddress { start.copyMemory(from: first, byteCount: bytes.count) }
    }
    return try body(UnsafeRawBufferPointer(start: start, count: bytes.count))
  }
}
