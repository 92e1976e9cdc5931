// Sums of calls as they were charged and as they are at other prices.

import Metering
import Store

enum PricedCalls {
  struct Key: Hashable {
    var upstream: String
    /// The model that the provider ran, else the one asked for.
    var model: String

    init(upstream: String, model: String) {
      self.upstream = upstream
      self.model = model
    }

    init(_ call: CallRow) {
      upstream = call.upstream
      model = call.responseModel.isEmpty ? call.model : call.responseModel
    }
  }

  struct Row: Hashable {
    var calls: Int64 = 0
    var charged = Money.zero
    /// The same calls at the other prices.
    var priced = Money.zero

    mutating func add(_ other: Row) {
      calls += other.calls
      charged = charged.addingClamped(other.charged)
      priced = priced.addingClamped(other.priced)
    }

    /// What the other prices move.
    var difference: Money {
      priced.addingClamped(Money(nanodollars: -charged.nanodollars))
    }
  }

  /// A line for machines.
  struct Encoded: Encodable {
    var upstream: String
    var model: String
    var calls: Int64
    var chargeNanodollars: Int64
    var newNanodollars: Int64

    init(_ upstream: String, _ model: String, _ row: Row) {
      self.upstream = upstream
      self.model = model
      calls = row.calls
      chargeNanodollars = row.charged.nanodollars
      newNanodollars = row.priced.nanodollars
    }
  }

  static func encoded(_ rows: [Key: Row]) -> [Encoded] {
    sorted(rows).map { Encoded($0.key.upstream, $0.key.model, $0.value) }
  }

  private static func sorted(_ rows: [Key: Row]) -> [(key: Key, value: Row)] {
    rows.sorted { ($0.key.upstream, $0.key.model) < ($1.key.upstream, $1.key.model) }
  }

  static func total(of rows: [Key: Row]) -> Row {
    rows.values.reduce(into: Row()) { $0.add($1) }
  }

  /// Prints a line for each upstream and model, and the total.
  /// - Parameter column: the head of the column of the other prices.
  static func table(_ rows: [Key: Row], at column: String) {
    func cells(_ upstream: String, _ model: String, _ row: Row) -> [String] {
      [
        upstream, model, String(row.calls), row.charged.dollarsText, row.priced.dollarsText,
        signed(row.difference),
      ]
    }
    Console.table(
      ["UPSTREAM", "MODEL", "CALLS", "CHARGED", column, "CHANGE"],
      sorted(rows).map { cells($0.key.upstream, $0.key.model, $0.value) }
        + [cells("total", "", total(of: rows))], rightAligned: [2, 3, 4, 5])
  }

  /// An amount with its sign, as differences are written.
  static func signed(_ amount: Money) -> String {
    amount > .zero ? "+" + amount.dollarsText : amount.dollarsText
  }
}

extension CallRow {
  var isBatch: Bool { serviceTier?.hasPrefix(ModelPrice.batchTier) == true }

  /// What each model used within it, the answering one first.
  var parts: [ModelUsage] {
    [ModelUsage(model: PricedCalls.Key(self).model, usage: usage)] + otherModels
  }
}

extension PriceBook {
  /// The price of a model that ran within a recorded call, else of the one asked for.
  func price(of model: String, in call: CallRow, at: Timestamp) -> ModelPrice? {
    price(model: model, at: at) ?? price(model: call.model, at: at)
  }

  /// Whether what was kept of a call says what it costs: of a batch's answers it is the sum.
  func pricesSum(of call: CallRow, at: Timestamp) -> Bool {
    guard call.isBatch, let tier = call.serviceTier else { return true }
    return tier != ModelPrice.mixedBatchTier
      && call.parts.allSatisfy { part in
        price(of: part.model, in: call, at: at)?.addsUp(part.usage, serviceTier: tier) ?? false
      }
  }

  /// What a recorded call costs in this book; nil where neither of its models is in it.
  func cost(of call: CallRow, at: Timestamp) -> CallCost? {
    cost(
      of: call.usage, otherModels: call.otherModels, model: call.model,
      asked: price(model: call.model, at: at), responseModel: call.responseModel,
      serviceTier: call.serviceTier, at: at)
  }
}
