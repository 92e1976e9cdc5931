// The one error of this module: what went wrong with the journal or the database, and what to do.
//
// SQLite and the kernel speak in codes; whoever is woken at night needs a sentence and a next step.

internal import GRDB

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A failure of the store. No text in it ever holds a prompt, an output, a key or a credential.
public struct StoreFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure; bounded, fit for a metric label.
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// Another connection holds the database's write lock for longer than the busy timeout.
    case busy
    case readOnly = "read_only"
    /// The disk, or a quota, is full.
    case full
    case corrupt
    case inputOutput = "input_output"
    case cannotOpen = "cannot_open"
    /// The database was written by a newer Leeway.
    case schemaNewer = "schema_newer"
    /// Another process holds the journal.
    case journalLocked = "journal_locked"
    /// Another gateway writes this store's ledger.
    case storeClaimed = "store_claimed"
    case journalCorrupt = "journal_corrupt"
    /// Events are missing between two that are there.
    case journalGap = "journal_gap"
    /// The caller asked for something that cannot be: a fault of the caller, not of the store.
    case invalid
    case constraint
    case closed
    case other
  }

  public var code: Code
  /// What failed and where.
  public var message: String
  /// What a person can do about it.
  public var hint: String
  /// Whether the same call may succeed later with nothing else changed but time.
  public var isRetryable: Bool
  /// The underlying code and text, for those who look it up.
  public var cause: String

  public init(
    _ code: Code, _ message: String, hint: String, isRetryable: Bool = false, cause: String = ""
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable
    self.cause = cause
  }

  public var description: String {
    var text = "\(message) [\(code.rawValue)]"
    if !cause.isEmpty { text += " (\(cause))" }
    return hint.isEmpty ? text : text + ". " + hint
  }
}

extension StoreFault {
  /// A failed system call.
  /// - Parameters:
  ///   - number: `errno` as it stood right after the call.
  ///   - doing: what was tried, with the path.
  static func system(_ number: Int32, doing: String) -> StoreFault {
    let cause = "errno \(number): " + String(cString: strerror(number))
    switch number {
    case ENOSPC, EDQUOT:
      return StoreFault(
        .full, "No space left while \(doing)",
        hint: "Free space on that disk or raise its quota; writing resumes by itself.",
        isRetryable: true, cause: cause)
    case EROFS:
      return StoreFault(
        .readOnly, "The file system is read-only while \(doing)",
        hint: "Remount it for writing, or move the store to a disk that can be written.",
        isRetryable: true, cause: cause)
    case EACCES, EPERM:
      return StoreFault(
        .cannotOpen, "Permission denied while \(doing)",
        hint: "Give the account that runs leeway read and write access to it.", cause: cause)
    case ENOENT, ENOTDIR:
      return StoreFault(
        .cannotOpen, "No such file or directory while \(doing)",
        hint: "Create the directory, or correct the path in the settings.", cause: cause)
    default:
      return StoreFault(
        .inputOutput, "Input/output failed while \(doing)",
        hint: "Check the disk and the kernel log; writing is tried again.",
        isRetryable: true, cause: cause)
    }
  }

  /// Any error that came out of the database layer.
  /// - Parameters:
  ///   - doing: the named transaction, as in "placing an order".
  ///   - path: the database file.
  init(_ error: any Error, doing: String, path: String) {
    if let fault = error as? StoreFault {
      self = fault
    } else if let error = error as? DatabaseError {
      self = .database(error, doing: doing, path: path)
    } else {
      self.init(
        .other, "The store failed while \(doing) in \(path)", hint: "",
        cause: String(describing: type(of: error)))
    }
  }

  private static func database(_ error: DatabaseError, doing: String, path: String) -> StoreFault {
    // Only the engine's message: it names tables and columns, never bound values.
    let cause = "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "")"
    let place = "while \(doing) in \(path)"
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return StoreFault(
        .busy, "The database is locked by another process \(place)",
        hint: "Find what holds it (a backup, a shell with an open transaction) and end that; "
          + "the store tries again by itself.",
        isRetryable: true, cause: cause)
    case .SQLITE_READONLY:
      return StoreFault(
        .readOnly, "The database is read-only \(place)",
        hint: "Give the account that runs leeway write access to the file and its directory.",
        isRetryable: true, cause: cause)
    case .SQLITE_FULL:
      return StoreFault(
        .full, "The disk is full \(place)",
        hint: "Free space on that disk or lower the retention of calls and samples; "
          + "writing resumes by itself.",
        isRetryable: true, cause: cause)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      return StoreFault(
        .corrupt, "The file is not a sound Leeway database \(place)",
        hint: "Stop leeway, keep a copy, then try 'sqlite3 FILE \".recover\"' or restore a backup.",
        cause: cause)
    case .SQLITE_IOERR:
      return StoreFault(
        .inputOutput, "Input/output failed \(place)",
        hint: "Check the disk and the kernel log; writing is tried again.",
        isRetryable: true, cause: cause)
    case .SQLITE_CANTOPEN, .SQLITE_PERM:
      return StoreFault(
        .cannotOpen, "The database cannot be opened \(place)",
        hint: "Check that the directory exists and that the account that runs leeway may write it.",
        cause: cause)
    case .SQLITE_CONSTRAINT:
      return StoreFault(
        .constraint, "A rule of the database forbids it \(place)", hint: "", cause: cause)
    default:
      return StoreFault(.other, "The database failed \(place)", hint: "", cause: cause)
    }
  }
}
