// A value of an export with the place at which it stands, so that a fault can name it.

import Metering
import Providers

/// A JSON value and where it stands.
struct ExportNode {
  let tree: JSONTree
  private(set) var place: ReconcileFault.Place

  init(tree: JSONTree, place: ReconcileFault.Place) {
    self.tree = tree
    self.place = place
  }

  func fault(_ message: String, hint: String = ReconcileFault.fetchAgain) -> ReconcileFault {
    ReconcileFault(message, at: place, hint: hint)
  }

  private func child(_ name: String, _ value: JSONTree) -> ExportNode {
    var place = place
    place.pointer += "/" + name
    return ExportNode(tree: value, place: place)
  }

  /// A member; nil where it is missing or null.
  /// - Throws: where it stands twice, which readers take differently, or this is no object.
  func member(_ name: String) throws(ReconcileFault) -> ExportNode? {
    guard case .object(let members) = tree else { throw fault("this is no object") }
    let found = members.filter { $0.name == name }
    guard found.count < 2 else { throw fault("'\(name)' stands twice") }
    guard let value = found.first?.value, value != .null else { return nil }
    return child(name, value)
  }

  /// As `member`, which must be there.
  func needed(_ name: String) throws(ReconcileFault) -> ExportNode {
    guard let node = try member(name) else { throw fault("'\(name)' is missing") }
    return node
  }

  func elements() throws(ReconcileFault) -> [ExportNode] {
    guard case .array(let elements) = tree else { throw fault("this is no list") }
    return elements.enumerated().map { child(String($0), $1) }
  }

  /// A member's text; nil where it is missing, null or empty.
  func text(_ name: String) throws(ReconcileFault) -> String? {
    guard let node = try member(name) else { return nil }
    guard case .string(let text) = node.tree else { throw node.fault("this is no text") }
    return text.isEmpty ? nil : text
  }

  /// A member's whole number, 0 or more; nil where it is missing or null.
  func count(_ name: String) throws(ReconcileFault) -> Int64? {
    guard let node = try member(name) else { return nil }
    guard case .number(let text) = node.tree, let count = ExportNumber.count(text) else {
      throw node.fault("this is no whole number of 0 or more")
    }
    return count
  }

  func neededCount(_ name: String) throws(ReconcileFault) -> Int64 {
    guard let count = try count(name) else { throw fault("'\(name)' is missing") }
    return count
  }

  /// A member's amount, as a number or as text.
  func amount(_ name: String, _ unit: ExportAmount.Unit) throws(ReconcileFault) -> ExportAmount {
    let node = try needed(name)
    let text: String? =
      switch node.tree {
      case .number(let text), .string(let text): text
      default: nil
      }
    guard let text, let amount = ExportAmount(text, unit) else {
      throw node.fault("this is no amount of money")
    }
    return amount
  }

  /// A member's moment, in seconds since 1970 or in ISO 8601.
  func moment(_ name: String) throws(ReconcileFault) -> Timestamp {
    let node = try needed(name)
    let moment: Timestamp? =
      switch node.tree {
      case .number(let text): Int64(text).flatMap(ExportNumber.seconds)
      case .string(let text): ImportTime.parse(text)
      default: nil
      }
    guard let moment, ExportNumber.moments.contains(moment) else {
      throw node.fault("this is no moment")
    }
    return moment
  }
}

/// Numbers of exports.
enum ExportNumber {
  /// More of anything than a provider serves a day.
  private static let countMax: Int64 = 1_000_000_000_000_000
  /// The years 2000 to 2100: days outside of them are no days of an export.
  static let moments =
    Timestamp(milliseconds: 946_684_800_000)...Timestamp(milliseconds: 4_102_444_800_000)

  static func count(_ text: String) -> Int64? {
    guard let scaled = ExactDecimal(text, allowsExponent: true)?.scaled(by: 0), scaled.isExact,
      scaled.value <= countMax
    else { return nil }
    return scaled.value
  }

  static func seconds(_ seconds: Int64) -> Timestamp? {
    let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    return overflow ? nil : Timestamp(milliseconds: milliseconds)
  }
}

/// An amount of an export, exactly as written; credits are below zero.
struct ExportAmount: Hashable {
  enum Unit: Int {
    case dollars = 9
    case cents = 7
  }

  /// Away from zero where the text is finer.
  var nanodollars: Int64
  /// The power of ten, in nanodollars, that the last digit stands for.
  var lastDigit: Int

  init?(_ text: String, _ unit: Unit) {
    let isNegative = text.hasPrefix("-")
    let digits = isNegative ? text.dropFirst() : text[...]
    guard let scaled = ExactDecimal(digits, allowsExponent: true)?.scaled(by: unit.rawValue)
    else { return nil }
    nanodollars = isNegative ? -scaled.value : scaled.value
    let parts = digits.split { $0 == "e" || $0 == "E" }
    let decimals = parts[0].split(separator: ".", omittingEmptySubsequences: false).dropFirst()
      .first?.count
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    lastDigit = unit.rawValue - (decimals ?? 0) + exponent
  }

  /// Half of the last digit of the finest amount of an export: how far each of them may be off. No
  /// more than half a cent: an amount of whole dollars is not one that was rounded to them.
  static func slack(lastDigit: Int) -> Int64 {
    let power = min(lastDigit, 7)
    guard power > 0 else { return 1 }
    return (0..<power).reduce(1) { power, _ in power * 10 } / 2
  }
}
