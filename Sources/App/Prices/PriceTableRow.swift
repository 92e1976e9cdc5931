// One line of a price table: a model of a provider, and its rates as exact whole numbers.

import Foundation
import Metering
import Providers

/// A row as read; every amount is one rate of one bucket at one place.
struct PriceTableRow {
  /// A rate's place and bucket.
  struct Slot: Hashable {
    var place: PriceEntry.Place
    var bucket: UsageBucket
  }

  /// Why a row cannot be read.
  struct Fault: Error, Hashable {
    var message: String
  }

  var line: Int
  /// The provider as the table spells it.
  var provider = ""
  /// The model as the table spells it.
  var model = ""
  var mode = ""
  var rates: [Slot: Int64] = [:]
  var inputTokensMax: Int64?
  var outputTokensMax: Int64?
  var retires: CivilDate?
  /// Amounts that are finer than a rate can be, and were rounded up.
  var roundedCount = 0
  /// The row prices capacity that is rented by the hour, not calls.
  var isReservedCapacity = false
  /// The row prices a unit that no bucket counts.
  var isUncounted = false

  init(line: Int, _ tree: JSONTree) throws(Fault) {
    self.line = line
    guard case .object(let members) = tree else { throw Fault(message: "it is no JSON object") }
    let names = Set(members.map(\.name))
    guard names.count == members.count else { throw Fault(message: "a field stands twice") }
    for member in members {
      if PriceTableField.descriptions.contains(member.name) {
        try describe(member)
      } else {
        try price(member, names)
      }
    }
    guard !provider.isEmpty else { throw Fault(message: "'provider' is missing") }
    guard !model.isEmpty else { throw Fault(message: "'model' is missing") }
  }

  private mutating func describe(_ member: JSONTree.Member) throws(Fault) {
    switch member.name {
    case "model": model = try Self.name(member)
    case "provider": provider = try Self.name(member)
    case "mode": mode = try Self.name(member)
    case "max_input_tokens": inputTokensMax = try Self.count(member)
    case "max_output_tokens": outputTokensMax = try Self.count(member)
    case "deprecation_date":
      let text = try Self.name(member)
      guard let day = CivilDate(text) else {
        throw Fault(message: "'deprecation_date' is no day YYYY-MM-DD")
      }
      retires = day
    default: break
    }
  }

  private mutating func price(_ member: JSONTree.Member, _ names: Set<String>) throws(Fault) {
    if member.name == PriceTableField.searches {
      guard case .object(let sizes) = member.value else {
        throw Fault(message: "'\(member.name)' is no object of sizes")
      }
      for size in sizes {
        guard let bucket = PriceTableField.searchSizes[size.name] else {
          throw Fault(message: "field '\(member.name).\(size.name)' is not known")
        }
        try add(size, PriceTableField(bucket: bucket))
      }
      return
    }
    if member.name == PriceTableField.reservedCapacity {
      isReservedCapacity = true
      return
    }
    if PriceTableField.isUncounted(member.name) {
      if try Self.amount(member).scaled(by: 15)?.value != 0 { isUncounted = true }
      return
    }
    guard let field = PriceTableField(name: member.name, has: names.contains) else {
      throw Fault(message: "field '\(Self.shown(member.name))' is not known")
    }
    try add(member, field)
  }

  /// Where two fields state one rate, the dearer holds.
  private mutating func add(
    _ member: JSONTree.Member, _ field: PriceTableField
  ) throws(Fault) {
    guard let scaled = try Self.amount(member).scaled(by: field.power) else {
      throw Fault(message: "'\(member.name)' is too large")
    }
    if !scaled.isExact { roundedCount += 1 }
    let slot = Slot(place: field.place, bucket: field.bucket)
    rates[slot] = max(rates[slot] ?? 0, scaled.value)
  }

  private static func amount(_ member: JSONTree.Member) throws(Fault) -> ExactDecimal {
    guard case .number(let text) = member.value else {
      throw Fault(message: "'\(shown(member.name))' is no number")
    }
    guard let number = ExactDecimal(text, allowsExponent: true) else {
      throw Fault(
        message: "'\(shown(member.name))' is \(shown(text)), not an amount of 0 or more")
    }
    return number
  }

  private static func count(_ member: JSONTree.Member) throws(Fault) -> Int64? {
    guard case .number(let text) = member.value, let number = Int64(text), number >= 0 else {
      throw Fault(message: "'\(member.name)' is no whole number")
    }
    // Zero stands for "not known" in the table.
    return number == 0 ? nil : number
  }

  /// Text that is not empty and has no control character in it.
  private static func name(_ member: JSONTree.Member) throws(Fault) -> String {
    guard case .string(let text) = member.value, !text.isEmpty, text.utf8.count <= 256,
      text.unicodeScalars.allSatisfy({ $0.properties.generalCategory.isOfOneLine })
    else { throw Fault(message: "'\(member.name)' is no plain text of 1 to 256 bytes") }
    return text
  }

  private static func shown(_ text: String) -> String {
    text.count > 80 ? String(text.prefix(80)) + "…" : text
  }
}

extension Unicode.GeneralCategory {
  /// Neither a control character nor the end of a line.
  fileprivate var isOfOneLine: Bool {
    ![.control, .lineSeparator, .paragraphSeparator, .surrogate].contains(self)
  }
}
