// Readiness by epoll, level-triggered: one loop, one thread, no library in between.

import CLinux
import Glibc

/// One epoll instance and its buffer of events. Descriptors come back as they were registered.
public final class Epoll {
  public static let readable = EPOLLIN.rawValue
  public static let writable = EPOLLOUT.rawValue

  private let descriptor: Int32
  private let events: UnsafeMutableBufferPointer<epoll_event>

  public init() throws {
    descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard descriptor >= 0 else { throw SocketFault("epoll_create1") }
    events = .allocate(capacity: 512)
  }

  deinit {
    close(descriptor)
    events.deallocate()
  }

  public func add(_ socket: Int32, _ interest: UInt32 = Epoll.readable) {
    var event = epoll_event(events: interest, data: epoll_data_t(fd: socket))
    epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &event)
  }

  public func modify(_ socket: Int32, _ interest: UInt32) {
    var event = epoll_event(events: interest, data: epoll_data_t(fd: socket))
    epoll_ctl(descriptor, EPOLL_CTL_MOD, socket, &event)
  }

  /// Waits, and hands every ready descriptor to `body`.
  ///
  /// - Parameter milliseconds: -1 waits without end, 0 looks and returns.
  public func wait(milliseconds: Int32, _ body: (Int32) throws -> Void) rethrows {
    let count = epoll_wait(descriptor, events.baseAddress, Int32(events.count), milliseconds)
    guard count > 0 else { return }
    for index in 0..<Int(count) { try body(events[index].data.fd) }
  }
}

/// A timer that epoll can wait on, to the microsecond; epoll's own timeout knows milliseconds only.
public final class TimerDescriptor {
  public let descriptor: Int32

  public init() throws {
    descriptor = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK))
    guard descriptor >= 0 else { throw SocketFault("timerfd_create") }
  }

  deinit { close(descriptor) }

  /// Fires once at `nanoseconds` of the monotonic clock, at once where that has passed.
  public func arm(at nanoseconds: UInt64) {
    var setting = itimerspec()
    setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
    setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
    timerfd_settime(descriptor, Int32(TFD_TIMER_ABSTIME), &setting, nil)
  }

  /// Takes the expiry, so that the descriptor is no longer ready.
  public func acknowledge() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }
}

/// Nanoseconds of CLOCK_MONOTONIC: the same clock in all processes of a machine.
public func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
