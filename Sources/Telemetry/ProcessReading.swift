// The process's own figures, under the names that every Prometheus dashboard knows.

#if canImport(Glibc)
  import Glibc
#endif

/// Memory, processor time and descriptors of this process at one moment.
struct ProcessReading: Sendable {
  var residentBytes: Int64
  var virtualBytes: Int64
  /// Processor time, user and system, in hundredths of a second.
  var cpuCentiseconds: Int64
  /// Since the machine started, in hundredths of a second.
  var startCentiseconds: Int64
  /// When the machine started, in seconds since 1970.
  var bootSeconds: Int64
  var openDescriptors: Int64
  var descriptorsMax: Int64?

  /// Reads /proc; nil where there is none or it does not look as expected.
  static func now() -> ProcessReading? {
    #if os(Linux)
      guard
        let stat = contents("/proc/self/stat"),
        let boot = contents("/proc/stat").flatMap(bootTime),
        let descriptors = entries("/proc/self/fd")
      else { return nil }
      return parse(
        stat: stat, bootSeconds: boot, ticksPerSecond: Int64(sysconf(Int32(_SC_CLK_TCK))),
        pageBytes: Int64(sysconf(Int32(_SC_PAGESIZE))), openDescriptors: descriptors,
        descriptorsMax: descriptorLimit())
    #else
      return nil
    #endif
  }

  /// Reads a line of /proc/PID/stat. The command's name may hold spaces and parentheses, so fields
  /// are counted from its last closing one: field 14 (utime) is the 12th after it.
  static func parse(
    stat: String, bootSeconds: Int64, ticksPerSecond: Int64, pageBytes: Int64,
    openDescriptors: Int64, descriptorsMax: Int64?
  ) -> ProcessReading? {
    guard let end = stat.lastIndex(of: ")"), ticksPerSecond > 0 else { return nil }
    let fields = stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace)
    guard
      fields.count >= 22, let user = Int64(fields[11]), let system = Int64(fields[12]),
      let start = Int64(fields[19]), let virtual = Int64(fields[20]),
      let pages = Int64(fields[21])
    else { return nil }
    return ProcessReading(
      residentBytes: pages * pageBytes, virtualBytes: virtual,
      cpuCentiseconds: (user + system) * 100 / ticksPerSecond,
      startCentiseconds: start * 100 / ticksPerSecond, bootSeconds: bootSeconds,
      openDescriptors: openDescriptors, descriptorsMax: descriptorsMax)
  }

  func write(to text: inout PrometheusText) {
    let start = bootSeconds * 100 + startCentiseconds
    text.single(
      "process_cpu_seconds_total", .counter, "User and system CPU time spent.",
      PrometheusText.fixedPoint(cpuCentiseconds, decimals: 2))
    text.single(
      "process_start_time_seconds", .gauge, "When the process began, in seconds since 1970.",
      PrometheusText.fixedPoint(start, decimals: 2))
    text.single(
      "process_resident_memory_bytes", .gauge, "Resident memory.", String(residentBytes))
    text.single(
      "process_virtual_memory_bytes", .gauge, "Virtual memory.", String(virtualBytes))
    text.single("process_open_fds", .gauge, "Open file descriptors.", String(openDescriptors))
    if let descriptorsMax {
      text.single(
        "process_max_fds", .gauge, "Most file descriptors allowed.", String(descriptorsMax))
    }
  }

  static func bootTime(_ stat: String) -> Int64? {
    let line = stat.split(separator: "\n").first { $0.hasPrefix("btime ") }
    return line.flatMap { Int64($0.dropFirst("btime ".count)) }
  }

  #if os(Linux)
    private static func contents(_ path: String) -> String? {
      guard let file = fopen(path, "re") else { return nil }
      defer { fclose(file) }
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 16384)
      while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { break }
        bytes += chunk[..<count]
      }
      return String(decoding: bytes, as: UTF8.self)
    }

    private static func entries(_ path: String) -> Int64? {
      guard let directory = opendir(path) else { return nil }
      defer { closedir(directory) }
      var count: Int64 = 0
      while readdir(directory) != nil { count += 1 }
      // Without ".", ".." and the descriptor of this very listing.
      return max(count - 3, 0)
    }

    private static func descriptorLimit() -> Int64? {
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
      return limit.rlim_cur > UInt64(Int64.max) ? nil : Int64(limit.rlim_cur)
    }
  #endif
}
