// Which model of the export is which of the ledger, where the two write it differently: a request
// for gpt-4o is billed as gpt-4o-2024-08-06, a console's table says Claude Haiku 4.5.

import Metering

/// Pairs names of one day and key.
struct ModelPairs {
  /// Other names of models, as price books state them.
  var aliases: @Sendable (String) -> String = { $0 }

  /// The ledger's name for each of the provider's, where it is another: only where exactly one
  /// name on either side is of one family, since a guess would hide a difference.
  func pairs(provider: Set<String>, ledger: Set<String>) -> [String: String] {
    let theirs = families(provider.subtracting(ledger))
    let ours = families(ledger.subtracting(provider))
    var pairs: [String: String] = [:]
    for (family, names) in theirs where names.count == 1 {
      guard let own = ours[family], own.count == 1 else { continue }
      pairs[names[0]] = own[0]
    }
    return pairs
  }

  private func families(_ names: Set<String>) -> [String: [String]] {
    Dictionary(grouping: names, by: family)
  }

  /// The name without its snapshots, under the name that the books have for it.
  private func family(_ name: String) -> String {
    let plain = Self.isDisplayed(name) ? Self.identifier(name) : name
    return ModelName.family(aliases(ModelName.family(aliases(plain))))
  }

  /// `Claude Haiku 4.5` and the like: ids have no blanks.
  private static func isDisplayed(_ name: String) -> Bool { name.contains(" ") }

  private static func identifier(_ name: String) -> String {
    String(name.lowercased().map { $0 == " " || $0 == "." ? "-" : $0 })
  }
}
