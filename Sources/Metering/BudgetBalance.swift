// Budgets as they stand, for people to look at.

/// A budget of one scope in its window of a moment.
public struct BudgetBalance: Hashable, Sendable {
  public var scope: BudgetScope
  public var budget: String
  public var caps: BudgetCaps
  /// Empty where no window holds the moment.
  public var window: String
  /// Empty: it never resets.
  public var resetsAtText: String
  public var account: Ledger.Account
  public var atCap: AtCap

  /// The same unit by unit, of those that are capped.
  public var lines: [(settled: Amount, reserved: Amount, cap: Amount)] {
    BudgetUnit.allCases.compactMap { unit in
      caps[unit].map {
        (
          Amount(unit, count: account.settled[unit]), Amount(unit, count: account.reserved[unit]),
          Amount(unit, count: $0)
        )
      }
    }
  }
}

extension Ledger {
  /// What a budget of a scope has taken in the window of a moment; of a rolling one, over all of
  /// its slices.
  public func balance(of budget: Budget, _ scope: BudgetScope, at now: Timestamp) -> Account {
    guard let window = budget.window(at: now) else { return Account() }
    var balance = account(AccountID(scope: scope, budget: budget.id, window: window.id))
    guard case .rolling(let rolling) = budget.windows else { return balance }
    for slice in rolling.earlierSlices(at: now) {
      let earlier = account(AccountID(scope: scope, budget: budget.id, window: slice))
      balance.settled.add(earlier.settled)
      balance.reserved.add(earlier.reserved)
    }
    return balance
  }

  /// The budgets of all apps in the order of policy, each once: those whose scopes are known before
  /// a call is made.
  public func balances(of policies: [AppPolicy], at now: Timestamp) -> [BudgetBalance] {
    var balances: [BudgetBalance] = []
    var seen: Set<AccountID> = []
    for policy in policies {
      for budget in policy.budgets {
        guard let scope = budget.holder.scope(in: policy),
          seen.insert(AccountID(scope: scope, budget: budget.id, window: "")).inserted
        else { continue }
        balances.append(view(of: budget, scope, at: now))
      }
    }
    return balances
  }

  /// Those of each key, model and user that has one now, by scope and budget.
  public func balancesOfEach(of policies: [AppPolicy], at now: Timestamp) -> [BudgetBalance] {
    let known = Admission.places(of: policies)
    var seen: Set<AccountID> = []
    var balances: [BudgetBalance] = []
    for id in accounts.keys where id.scope.kind.isFoundByCall {
      guard let place = known[id.scope.family]?[id.budget] else { continue }
      let budget = policies[place.policy].budgets[place.budget]
      guard seen.insert(AccountID(scope: id.scope, budget: id.budget, window: "")).inserted
      else { continue }
      let balance = view(of: budget, id.scope, at: now)
      if balance.account != Account() { balances.append(balance) }
    }
    return balances.sorted { ($0.scope.text, $0.budget) < ($1.scope.text, $1.budget) }
  }

  private func view(
    of budget: Budget, _ scope: BudgetScope, at now: Timestamp
  ) -> BudgetBalance {
    let window = budget.window(at: now)
    return BudgetBalance(
      scope: scope, budget: budget.id, caps: budget.caps, window: window?.id ?? "",
      resetsAtText: window?.endText ?? "", account: balance(of: budget, scope, at: now),
      atCap: budget.atCap)
  }
}
