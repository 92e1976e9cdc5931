// Which samples a command is about: conditions and a span, the same words in every command.

import ArgumentParser
import Foundation
import Metering
import Store

struct PeriodOptions: ParsableArguments {
  @Option(
    name: .customLong("where"), help: "model=…, origin=…, status=… or tag.NAME=…; repeat it.")
  var conditions: [String] = []
  @Option(help: "From this time on: ISO 8601, a date, or a span back from now such as 7d.")
  var since: String?
  @Option(help: "Up to, not including; as --since.") var until: String?

  /// The conditions as the store takes them; a condition that is none ends the command with 64.
  func filter() throws -> SampleFilter {
    do { return try SampleFilter(parsing: conditions) } catch {
      throw ValidationError("\(error)")
    }
  }

  func start(at now: Timestamp) throws -> Timestamp? {
    try since.map { try TimeArgument.read($0, now: now, option: "--since") }
  }

  func end(at now: Timestamp) throws -> Timestamp? {
    try until.map { try TimeArgument.read($0, now: now, option: "--until") }
  }
}

/// Moments as people type them.
enum TimeArgument {
  /// Reads `2026-11-23`, `2026-11-23T10:00:00Z`, or a span back from now: `90m`, `24h`, `7d`.
  static func read(_ text: String, now: Timestamp, option: String) throws -> Timestamp {
    let units: [Character: Int64] = ["m": 60_000, "h": 3_600_000, "d": 86_400_000]
    if let last = text.last, let unit = units[last], let count = Int64(text.dropLast()),
      (0...100_000).contains(count)
    {
      return now.adding(milliseconds: -count * unit)
    }
    let full = text.contains("T") ? text : text + "T00:00:00Z"
    if let date = try? Date(full, strategy: .iso8601) {
      return Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1_000))
    }
    throw ValidationError(
      "\(option) '\(text)' is no time: write 2026-11-23, 2026-11-23T10:00:00Z, or 24h, 7d.")
  }
}
