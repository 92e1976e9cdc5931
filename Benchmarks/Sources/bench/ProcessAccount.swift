// What a subject used, by the kernel's own books: CPU time and resident memory of all its
// processes and threads.

import Foundation

struct ProcessAccount {
  let root: pid_t

  /// Nanoseconds on a core, of the process and of its children that still run. It is the clock of
  /// whole processes: the sum over their present threads would lose what ended threads used, and
  /// run backwards when one ends.
  func cpuNanoseconds() -> UInt64 {
    processes().reduce(0) { sum, pid in
      var clock = clockid_t()
      var time = timespec()
      guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
        return sum
      }
      return sum + UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
  }

  /// Resident memory by VmRSS. Pages that processes share count in each of them.
  func residentMebibytes() -> Double {
    let kilobytes = processes().reduce(0.0) { sum, pid in
      let status = text("/proc/\(pid)/status")
      guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
      else { return sum }
      return sum + (line.split(separator: " ").compactMap { Double($0) }.first ?? 0)
    }
    return kilobytes / 1_024
  }

  /// Waits until what the subject still does for finished calls is done, so that it is on the
  /// bill, too: journals that are folded later, buffers that are freed later.
  func settle() {
    var last = cpuNanoseconds()
    for _ in 0..<20 {
      usleep(100_000)
      let now = cpuNanoseconds()
      if now < last + 2_000_000 { return }
      last = now
    }
  }

  private func processes() -> [pid_t] {
    var found = [root]
    var index = 0
    while index < found.count {
      for thread in threads(found[index]) {
        let children = text("/proc/\(found[index])/task/\(thread)/children")
        found += children.split(separator: " ").compactMap { pid_t($0) }
      }
      index += 1
    }
    return found
  }

  private func threads(_ pid: pid_t) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
  }

  /// Files of /proc have no size, so they are read by the handle.
  private func text(_ path: String) -> String {
    guard let file = FileHandle(forReadingAtPath: path) else { return "" }
    defer { try? file.close() }
    return String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
  }
}
