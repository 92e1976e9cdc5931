// Which accounts a call was charged to, kept for as long as the call: policy may have changed
// since, and a charge that is made anew must move what it moved before.
//
// An app's calls name the same accounts for as long as a window lasts, so that a call holds a
// number and the list is stored once.

internal import Foundation
internal import GRDB
internal import Metering

/// Numbers for lists of accounts.
struct AccountSets {
  private let db: Database
  private var numbers: [[AccountID]: Int64] = [:]
  private var latest: (accounts: [AccountID], number: Int64)?

  init(_ db: Database) { self.db = db }

  /// The list's number; a new one is stored.
  mutating func number(of accounts: [AccountID]) throws -> Int64 {
    if let latest, latest.accounts == accounts { return latest.number }
    let number = try numbers[accounts] ?? store(accounts)
    numbers[accounts] = number
    latest = (accounts, number)
    return number
  }

  private func store(_ accounts: [AccountID]) throws -> Int64 {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(accounts), as: UTF8.self)
    try db.cachedStatement(sql: "INSERT OR IGNORE INTO account_sets (accounts) VALUES (?)")
      .execute(arguments: [text])
    let number = try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT number FROM account_sets WHERE accounts = ?"),
      arguments: [text])
    guard let number else { throw DatabaseError(message: "a list of accounts was not stored") }
    return number
  }

  /// The accounts of a list; nil where there is no such list.
  static func accounts(_ db: Database, number: Int64) throws -> [AccountID]? {
    let text = try String.fetchOne(
      db.cachedStatement(sql: "SELECT accounts FROM account_sets WHERE number = ?"),
      arguments: [number])
    return try text.map { try JSONDecoder().decode([AccountID].self, from: Data($0.utf8)) }
  }

  /// Deletes lists that no call refers to any more.
  static func prune(_ db: Database) throws {
    try db.execute(
      sql: """
        DELETE FROM account_sets
        WHERE number NOT IN (SELECT account_set FROM calls WHERE account_set IS NOT NULL)
        """)
  }
}
