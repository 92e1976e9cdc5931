// What budgets count, each unit in a type or a field of its own: money is never added to tokens.

/// A unit that a budget can cap. Raw values stand in the journal and are never reused.
public enum BudgetUnit: UInt8, Sendable, Codable, CaseIterable {
  case money = 0
  case tokens = 1
  case calls = 2

  /// As thresholds/ and metrics spell it.
  public var name: String {
    switch self {
    case .money: "usd"
    case .tokens: "tokens"
    case .calls: "calls"
    }
  }
}

/// What a call holds or has used, in every unit. A balance is the sum of such.
public struct Amounts: Hashable, Sendable, Codable {
  public var money: Money
  public var tokens: Int64
  public var calls: Int64

  public init(money: Money = .zero, tokens: Int64 = 0, calls: Int64 = 0) {
    self.money = money
    self.tokens = tokens
    self.calls = calls
  }

  public static let zero = Amounts()
  static let max = Amounts(money: Money(nanodollars: .max), tokens: .max, calls: .max)

  /// Adds, held at the ends of the range, unit by unit.
  @inline(__always)
  public mutating func add(_ other: Amounts) {
    money = money.addingClamped(other.money)
    tokens = tokens.addingClamped(other.tokens)
    calls = calls.addingClamped(other.calls)
  }

  /// Takes off what was added before; every count is ≥ 0, so that its negative exists.
  @inline(__always)
  mutating func subtract(_ other: Amounts) {
    money = money.addingClamped(Money(nanodollars: -other.money.nanodollars))
    tokens = tokens.addingClamped(-other.tokens)
    calls = calls.addingClamped(-other.calls)
  }

  @inline(__always)
  public func addingClamped(_ other: Amounts) -> Amounts {
    var sum = self
    sum.add(other)
    return sum
  }

  /// Whether one unit at least is as much as the other's.
  @inline(__always)
  func reachesAny(of other: Amounts) -> Bool {
    money >= other.money || tokens >= other.tokens || calls >= other.calls
  }

  /// The count in one unit: nanodollars, tokens or calls.
  public subscript(unit: BudgetUnit) -> Int64 {
    get {
      switch unit {
      case .money: money.nanodollars
      case .tokens: tokens
      case .calls: calls
      }
    }
    set {
      switch unit {
      case .money: money = Money(nanodollars: newValue)
      case .tokens: tokens = newValue
      case .calls: calls = newValue
      }
    }
  }
}

/// An amount in one unit.
public enum Amount: Hashable, Sendable, Codable {
  case money(Money)
  case tokens(Int64)
  case calls(Int64)

  /// - Parameter count: nanodollars, tokens or calls.
  public init(_ unit: BudgetUnit, count: Int64) {
    switch unit {
    case .money: self = .money(Money(nanodollars: count))
    case .tokens: self = .tokens(count)
    case .calls: self = .calls(count)
    }
  }

  public var unit: BudgetUnit {
    switch self {
    case .money: .money
    case .tokens: .tokens
    case .calls: .calls
    }
  }

  /// Nanodollars, tokens or calls.
  public var count: Int64 {
    switch self {
    case .money(let money): money.nanodollars
    case .tokens(let count), .calls(let count): count
    }
  }

  /// For people: `$4.99`, `1,200 tokens`, `1 call`.
  public var text: String {
    switch self {
    case .money(let money): "$\(money.dollarsText)"
    case .tokens(let count): Self.figure(count) + (count == 1 ? " token" : " tokens")
    case .calls(let count): Self.figure(count) + (count == 1 ? " call" : " calls")
    }
  }
}

extension Amount {
  /// With a hyphen for the sign, as machines' texts have it.
  private static func figure(_ count: Int64) -> String {
    (count < 0 ? "-" : "") + count.magnitude.groupedText
  }
}

extension BinaryInteger {
  /// With its digits in threes: `1,234,567`.
  public var groupedText: String {
    let digits = String(magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return self < 0 ? "−" + text : text
  }
}

extension Usage {
  /// All tokens, input and output, held at the end of the range.
  fileprivate var tokens: Int64 { inputTotal.addingClamped(outputTotal) }
}

extension CallOutcome {
  /// All tokens that were used, input and output, of the answering model and of others, held at
  /// the end of the range.
  public var tokens: Int64 {
    var tokens = usage.tokens
    for other in otherModels { tokens = tokens.addingClamped(other.usage.tokens) }
    return tokens
  }
}
