// One gateway for a store: the right to write its ledger.
//
// Two gateways with a journal each would both count from the same balances, spend every budget
// twice, and drop one another's events in the fold as already folded. The journal's own lock cannot
// see that, so the store has one too.

internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Holds the lock of a store's ledger, or nothing.
final class LedgerClaim: Sendable {
  private let file = Mutex<OpenFile?>(nil)

  deinit { release() }

  /// Takes the lock; does nothing where this value has it.
  /// - Throws: `storeClaimed` where another gateway has it; `cannotOpen` and the like.
  func take(of database: String) throws(StoreFault) {
    let result = file.withLock { held -> Result<Void, StoreFault> in
      guard held == nil else { return .success(()) }
      do throws(StoreFault) {
        held = try Self.lock(Self.resolved(database))
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  func release() {
    file.withLock { held in
      held?.release()
      held = nil
    }
  }

  /// One name for one file, whatever links lead to it.
  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// A file of its own: SQLite loses its locks when anyone else in the process closes the database.
  private static func lock(_ database: String) throws(StoreFault) -> OpenFile {
    try OpenFile.locked(database + "-gateway") { holder in
      StoreFault(
        .storeClaimed, "The store \(database) is in use by another gateway, process \(holder)",
        hint: "Stop that process. One store has one gateway: two would each spend every budget.")
    }
  }
}

extension StoreDatabase {
  /// Takes the right to write the ledger, until `close()` or the process ends. Whoever journals
  /// and folds calls this before `checkpoint()`.
  ///
  /// - Throws: `storeClaimed` where another gateway has it.
  public func claimLedger() throws(StoreFault) {
    guard path != Self.inMemoryPath else { return }
    try ledgerClaim.take(of: path)
  }
}
