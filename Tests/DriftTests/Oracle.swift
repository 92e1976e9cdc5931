// Reference values by other programs, read from the text file beside the tests.
//
// Why a file: the numbers were made by Oracles/make.py (mpmath at 60 digits, scipy 1.17, exact
// fractions), and whoever doubts one can make it again.

import Foundation

enum Oracle {
  /// The rows of a section, split at spaces.
  static func rows(_ section: String) throws -> [[String]] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Oracles/statistics.txt")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    var isInSection = false
    var rows: [[String]] = []
    for line in lines where !line.hasPrefix("#") {
      if line.hasPrefix("[") {
        isInSection = line == "[\(section)]"
      } else if isInSection {
        rows.append(line.split(separator: " ").map(String.init))
      }
    }
    guard !rows.isEmpty else { throw OracleFault.noSuchSection(section) }
    return rows
  }
}

enum OracleFault: Error {
  case noSuchSection(String)
  case notANumber(String)
}

func number(_ text: String) throws -> Double {
  guard let value = Double(text) else { throw OracleFault.notANumber(text) }
  return value
}

func numbers(_ text: String) throws -> [Double] {
  try text.split(separator: ",").map { try number(String($0)) }
}

func counts(_ text: String) throws -> [Int64] {
  try text.split(separator: ",").map {
    guard let value = Int64($0) else { throw OracleFault.notANumber(String($0)) }
    return value
  }
}

/// Equal to a relative tolerance; exactly equal where the reference is 0 or infinite.
func isClose(_ value: Double, _ reference: Double, _ tolerance: Double) -> Bool {
  if value == reference { return true }
  return abs(value - reference) <= tolerance * abs(reference)
}

/// Probabilities as logarithms: equal relative error of p is equal absolute error of ln p.
func isCloseLog(_ value: Double, _ reference: Double, _ tolerance: Double) -> Bool {
  abs(value - reference) <= tolerance * max(1, abs(reference))
}

/// A tally of classes c0, c1 … with these counts.
func tally(_ values: [Int64]) -> [String: Int64] {
  Dictionary(uniqueKeysWithValues: values.enumerated().map { (name($0.offset), $0.element) })
}

/// Sorts as the number does.
func name(_ index: Int) -> String { "c" + String(10_000 + index) }
