// One value of a settings file with its place, and the typed ways to read it.
//
// Each way returns nil after recording what is wrong, so that reading goes on to the next fault.
// Numbers that are money are read from the file's own text: a Double has never held them.

import Foundation
import Metering
import Yams

/// A YAML value, its file and line, and its name for messages: `upstreams.openai.url`.
struct SettingsNode {
  let node: Node
  let file: String
  let name: String
  let log: FaultLog

  var line: Int { node.mark?.line ?? 1 }

  /// Records a fault at this value's line.
  func fault(_ what: String, _ advice: String) { log.add(file, line, what, advice) }

  /// The scalar's text as written, quotes removed; nil for mappings, lists and nothing.
  func text(_ expected: String = "text") -> String? {
    guard case .scalar(let scalar) = node else {
      fault("'\(name)' should be \(expected)", "write it on one line, as in `\(key): …`")
      return nil
    }
    return scalar.string
  }

  /// Text that is not empty and has no control character in it.
  func line(_ expected: String = "text") -> String? {
    guard let text = text(expected) else { return nil }
    let isClean = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    guard !text.isEmpty, isClean else {
      fault("'\(name)' is empty or holds a control character", "write \(expected) on one line")
      return nil
    }
    return text
  }

  func integer(in range: ClosedRange<Int64>) -> Int64? {
    guard let text = text("a whole number") else { return nil }
    guard let number = Int64(text) else {
      fault("'\(name)' is '\(shown(text))', not a whole number", advice(range))
      return nil
    }
    return checked(number, in: range)
  }

  func decimal(in range: ClosedRange<Double>) -> Double? {
    guard let text = text("a number") else { return nil }
    guard let number = Double(text), number.isFinite else {
      fault("'\(name)' is '\(shown(text))', not a number", advice(range))
      return nil
    }
    return checked(number, in: range)
  }

  func flag() -> Bool? {
    guard let text = text("true or false") else { return nil }
    switch text {
    case "true": return true
    case "false": return false
    default:
      fault("'\(name)' is '\(shown(text))'", "write true or false")
      return nil
    }
  }

  /// Dollars as decimal text, quoted or not: `"12.50"`, `5`.
  func money() -> Money? {
    guard let text = text("an amount in dollars") else { return nil }
    if let money = Money(dollars: text) { return money }
    if text.hasPrefix("-") {
      fault("'\(name)' is negative (\(shown(text)))", "write an amount of 0 or more")
    } else {
      fault(
        "'\(name)' is '\(shown(text))', not an amount of money",
        "write dollars as digits with at most nine decimals, as in \"12.50\"")
    }
    return nil
  }

  /// A size in bytes: `1048576`, `16 MiB`.
  func bytes(in range: ClosedRange<Int64>) -> Int64? {
    guard let text = text("a size in bytes") else { return nil }
    let parts = text.split(separator: " ")
    let units: [String: Int64] = ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
    let unit = parts.count == 2 ? units[String(parts[1])] : 1
    guard let unit, (1...2).contains(parts.count), let count = Int64(parts[0]) else {
      fault(
        "'\(name)' is '\(shown(text))', not a size",
        "write bytes, or a number and KiB, MiB or GiB, as in 16 MiB")
      return nil
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: unit)
    guard !overflow else {
      fault("'\(name)' is too large", advice(range))
      return nil
    }
    return checked(size, in: range)
  }

  /// One of a few words.
  func word(_ words: [String]) -> String? {
    guard let text = text("one of \(words.joined(separator: ", "))") else { return nil }
    guard words.contains(text) else {
      fault("'\(name)' is '\(shown(text))'", NearestName.advice(for: text, among: words))
      return nil
    }
    return text
  }

  /// The elements of a list; a value that is no list counts as a list of itself.
  func list() -> [SettingsNode] {
    guard case .sequence(let sequence) = node else { return [self] }
    return sequence.enumerated().map { offset, element in
      SettingsNode(node: element, file: file, name: "\(name)[\(offset)]", log: log)
    }
  }

  func mapping() -> SettingsMapping? {
    guard case .mapping(let mapping) = node else {
      fault(
        "'\(name.isEmpty ? "the file" : name)' should hold `key: value` lines",
        "write one key a line, indented below `\(key):`")
      return nil
    }
    return SettingsMapping(mapping: mapping, at: self)
  }

  /// Text fit for a message: bounded.
  func shown(_ text: String) -> String {
    text.count > 60 ? String(text.prefix(60)) + "…" : text
  }

  private var key: String { String(name.split(separator: ".").last ?? "key") }

  private func checked<Number: Comparable>(_ number: Number, in range: ClosedRange<Number>)
    -> Number?
  {
    guard range.contains(number) else {
      fault("'\(name)' is \(number), out of range", advice(range))
      return nil
    }
    return number
  }

  private func advice<Number: Comparable>(_ range: ClosedRange<Number>) -> String {
    "write a number from \(range.lowerBound) to \(range.upperBound)"
  }
}
