// A program that a test runs, by the system's own call.
//
// Not Foundation's `Process`: with thousands of files open, as in a whole run of the tests, its
// listing of them reads past its memory, and it learns of an end by a socket that a program begun
// at the same moment may keep open.

import Foundation
import Synchronization

/// A program, from its start to its end. It inherits no open file, and no blocked signal.
public final class ChildProcess: Sendable {
  public struct Fault: Error, CustomStringConvertible {
    public var description: String
  }

  public let processIdentifier: pid_t
  /// A whole run of the tests has some 3,000 files open.
  private static let filesMax: UInt = 16_384
  private let status = Mutex<Int32?>(nil)

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - directory: where it runs; nil: where the tests do.
  ///   - environment: added to the tests' own.
  ///   - input: the file that it reads.
  ///   - output: the file that it writes to; nil: the tests' own output.
  ///   - errors: as `output`, of standard error.
  public init(
    _ executable: String, _ arguments: [String], directory: String? = nil,
    environment: [String: String] = [:], input: String = "/dev/null", output: String? = nil,
    errors: String? = nil
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    for (descriptor, file) in [(Int32(1), output), (2, errors)] {
      guard let file else { continue }
      posix_spawn_file_actions_addopen(
        &actions, descriptor, file, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    var flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
    #if canImport(Darwin)
      flags |= Int32(POSIX_SPAWN_CLOEXEC_DEFAULT)
    #else
      // glibc passes over those that are not open.
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      for descriptor in 3..<Int32(clamping: min(limit.rlim_cur, Self.filesMax)) {
        posix_spawn_file_actions_addclose(&actions, descriptor)
      }
    #endif
    posix_spawnattr_setflags(&attributes, Int16(flags))
    let everything = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let words = everything.map { "\($0.key)=\($0.value)" }
    // Swift does not see the call that changes a child's directory.
    let shell = directory.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0] } ?? []
    let line = shell + [executable] + arguments
    var pid: pid_t = 0
    let fault = Self.withWords(line) { arguments in
      Self.withWords(words) { environment in
        posix_spawn(&pid, line[0], &actions, &attributes, arguments, environment)
      }
    }
    guard fault == 0 else {
      throw Fault(description: "\(executable) does not start: \(String(cString: strerror(fault)))")
    }
    processIdentifier = pid
  }

  /// The words as C wants them: ended by zero, the list by nil.
  private static func withWords(
    _ words: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) -> Int32 {
    var pointers = words.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { list in
      list.baseAddress.map(body) ?? EINVAL
    }
  }

  /// The status, or the signal, with which it ended; nil: it runs.
  public var endStatus: Int32? { end(options: WNOHANG) }

  /// Blocks until it has ended.
  @discardableResult
  public func waitUntilEnd() -> Int32 { end(options: 0) ?? -1 }

  private func end(options: Int32) -> Int32? {
    status.withLock { status in
      if let status { return status }
      var word: Int32 = 0
      var found: pid_t
      repeat {
        found = waitpid(processIdentifier, &word, options)
      } while found < 0 && errno == EINTR
      if found == processIdentifier {
        let signal = word & 0x7F
        status = signal == 0 ? word >> 8 & 0xFF : signal
      }
      return status
    }
  }

  /// Sends a signal, unless it has ended: its number may be another's by then.
  public func signal(_ signal: Int32) {
    if endStatus == nil { kill(processIdentifier, signal) }
  }

  deinit {
    signal(SIGKILL)
    waitUntilEnd()
  }
}
