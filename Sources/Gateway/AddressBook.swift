// Where upstreams are: names resolved ahead of need, on a thread that may block.
//
// getaddrinfo can take seconds, so no event loop ever calls it; calls connect to what was found
// last.

import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The resolved addresses of every upstream, by its index.
final class AddressBook: Sendable {
  private struct Entry {
    var addresses: [SocketAddress] = []
    /// When the addresses are to be looked up again.
    var staleAt = NIODeadline.uptimeNanoseconds(0)
    var isResolving = false
    /// Calls that wait for the first answer.
    var waiting: [EventLoopPromise<[SocketAddress]>] = []
  }

  private let entries: Mutex<[Entry]>
  private let targets: [(host: String, port: Int)]
  private let lifetime: TimeAmount
  private let threads: NIOThreadPool

  init(targets: [(host: String, port: Int)], lifetime: TimeAmount, threads: NIOThreadPool) {
    self.targets = targets
    self.lifetime = lifetime
    self.threads = threads
    entries = Mutex(Array(repeating: Entry(), count: targets.count))
  }

  /// The addresses as far as they are known; looks them up again, behind the call's back, where
  /// they are stale. Nil: none is known yet, ask `resolved`.
  func known(_ upstream: Int, now: NIODeadline) -> [SocketAddress]? {
    let (addresses, isStale) = entries.withLock { entries in
      (entries[upstream].addresses, entries[upstream].staleAt <= now)
    }
    if isStale { resolve(upstream) }
    return addresses.isEmpty ? nil : addresses
  }

  /// The addresses once they are known; empty where the name cannot be resolved.
  func resolved(_ upstream: Int, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
    let promise = loop.makePromise(of: [SocketAddress].self)
    entries.withLock { $0[upstream].waiting.append(promise) }
    resolve(upstream)
    return promise.futureResult
  }

  /// A connection failed: the upstream may have moved.
  func suspect(_ upstream: Int) {
    resolve(upstream)
  }

  private func resolve(_ upstream: Int) {
    let isFirst = entries.withLock { entries in
      defer { entries[upstream].isResolving = true }
      return !entries[upstream].isResolving
    }
    guard isFirst else { return }
    let (host, port) = targets[upstream]
    threads.submit { state in
      guard case .active = state else { return self.finish(upstream, []) }
      self.finish(upstream, Self.lookUp(host: host, port: port))
    }
  }

  private func finish(_ upstream: Int, _ found: [SocketAddress]) {
    let (waiting, addresses) = entries.withLock { entries in
      // A failed look-up keeps the last addresses: DNS may be away while the upstream is not.
      if !found.isEmpty { entries[upstream].addresses = found }
      entries[upstream].staleAt = .now() + (found.isEmpty ? .seconds(1) : lifetime)
      entries[upstream].isResolving = false
      let waiting = entries[upstream].waiting
      entries[upstream].waiting = []
      return (waiting, entries[upstream].addresses)
    }
    for promise in waiting { promise.succeed(addresses) }
  }

  /// All addresses of a name in the system's order of preference; empty on failure. Blocks.
  private static func lookUp(host: String, port: Int) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    #if canImport(Glibc)
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    #else
      hints.ai_socktype = SOCK_STREAM
    #endif
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = list
    while let info = next?.pointee {
      next = info.ai_next
      guard let address = info.ai_addr else { continue }
      switch info.ai_family {
      case AF_INET:
        address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          found.append(SocketAddress($0.pointee, host: host))
        }
      case AF_INET6:
        address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          found.append(SocketAddress($0.pointee, host: host))
        }
      default: continue
      }
    }
    return found
  }
}
