// A file descriptor with its path, so that a failed system call can say where it failed.

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// An open file. Whoever opened it closes it, once.
struct OpenFile: Sendable {
  let descriptor: Int32
  let path: String

  /// - Parameter flags: `O_…`; close-on-exec is added. New files are for this account alone.
  init(path: String, flags: Int32) throws(StoreFault) {
    let descriptor = Self.retrying { open(path, flags | O_CLOEXEC, 0o600) }
    guard descriptor >= 0 else { throw .system(errno, doing: "opening \(path)") }
    self.descriptor = descriptor
    self.path = path
  }

  /// Writes all bytes at an offset, in one call where the kernel takes them at once.
  ///
  /// After a failure the file may hold a part of them.
  func write(_ bytes: [UInt8], at offset: Int) throws(StoreFault) {
    let number: Int32 = bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let part = UnsafeRawBufferPointer(rebasing: buffer[done...])
        let written = pwrite(descriptor, part.baseAddress, part.count, off_t(offset + done))
        if written > 0 {
          done += written
        } else if written < 0, errno != EINTR {
          return errno
        } else if written == 0 {
          // No progress without an error: the device takes no more.
          return ENOSPC
        }
      }
      return 0
    }
    guard number == 0 else { throw .system(number, doing: "writing \(path)") }
  }

  /// Reads up to `count` bytes at an offset; fewer at the end of the file.
  func read(_ count: Int, at offset: Int) throws(StoreFault) -> [UInt8] {
    var number: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let free = UnsafeMutableRawBufferPointer(buffer)[filled...]
        let part = UnsafeMutableRawBufferPointer(rebasing: free)
        let got = pread(descriptor, part.baseAddress, part.count, off_t(offset + filled))
        if got > 0 {
          filled += got
        } else if got == 0 {
          return
        } else if errno != EINTR {
          number = errno
          return
        }
      }
    }
    guard number == 0 else { throw .system(number, doing: "reading \(path)") }
    return bytes
  }

  /// The file's size in bytes.
  func size() throws(StoreFault) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(errno, doing: "measuring \(path)") }
    return Int(status.st_size)
  }

  func truncate(to size: Int) throws(StoreFault) {
    let result = Self.retrying { ftruncate(descriptor, off_t(size)) }
    guard result == 0 else { throw .system(errno, doing: "truncating \(path)") }
  }

  /// Returns when the data would outlast a loss of power.
  func synchronize() throws(StoreFault) {
    #if canImport(Glibc)
      let result = Self.retrying { fdatasync(descriptor) }
    #else
      let result = Self.retrying { fsync(descriptor) }
    #endif
    guard result == 0 else { throw .system(errno, doing: "synchronizing \(path)") }
  }

  /// Takes the file for this process alone, until it is closed. False where another has it.
  func lockExclusively() throws(StoreFault) -> Bool {
    if Self.retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return true }
    guard errno == EWOULDBLOCK else { throw .system(errno, doing: "locking \(path)") }
    return false
  }

  /// Opens a lock file, locks it until `close`, and writes this process's number into it.
  /// - Parameter fault: what to throw where another process has it, by that process's number.
  static func locked(
    _ path: String, whenHeldBy fault: (_ holder: String) -> StoreFault
  ) throws(StoreFault) -> OpenFile {
    let file = try OpenFile(path: path, flags: O_RDWR | O_CREAT)
    do throws(StoreFault) {
      guard try file.lockExclusively() else {
        throw fault(String(decoding: try file.read(32, at: 0), as: UTF8.self))
      }
      try file.truncate(to: 0)
      try file.write(Array("\(getpid())".utf8), at: 0)
    } catch {
      file.release()
      throw error
    }
    return file
  }

  func unlock() throws(StoreFault) {
    guard flock(descriptor, LOCK_UN) == 0 else { throw .system(errno, doing: "unlocking \(path)") }
  }

  /// Gives the lock up and closes. A program that is just being started has a copy of every open
  /// file, and a lock that is not given up stays until the last copy is closed.
  func release() {
    try? unlock()
    close()
  }

  func close() {
    #if canImport(Glibc)
      _ = Glibc.close(descriptor)
    #else
      _ = Darwin.close(descriptor)
    #endif
  }

  private static func retrying(_ call: () -> Int32) -> Int32 {
    while true {
      let result = call()
      if result >= 0 || errno != EINTR { return result }
    }
  }
}

/// What the store asks of directories.
enum Directory {
  /// Makes a directory, and those above it, for this account alone.
  static func create(_ path: String) throws(StoreFault) {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      try create(String(path[..<slash]))
      if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    }
    throw .system(errno, doing: "creating the directory \(path)")
  }

  static func names(in path: String) throws(StoreFault) -> [String] {
    guard let stream = opendir(path) else {
      throw .system(errno, doing: "listing the directory \(path)")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Makes new and deleted names outlast a loss of power.
  static func synchronize(_ path: String) throws(StoreFault) {
    let directory = try OpenFile(path: path, flags: O_RDONLY | O_DIRECTORY)
    defer { directory.close() }
    guard fsync(directory.descriptor) == 0 else {
      throw .system(errno, doing: "synchronizing the directory \(path)")
    }
  }

  static func remove(file path: String) throws(StoreFault) {
    guard unlink(path) == 0 || errno == ENOENT else {
      throw .system(errno, doing: "deleting \(path)")
    }
  }

  /// When a file was last written; nil where it is gone.
  static func modificationSeconds(of path: String) -> Int64? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    #if canImport(Glibc)
      return Int64(status.st_mtim.tv_sec)
    #else
      return Int64(status.st_mtimespec.tv_sec)
    #endif
  }
}
