// The command line: thin commands over the modules, each with an example in its help.

import Analyzer
import ArgumentParser
import Foundation
import Metering
import Store

/// The root command.
public struct LeewayCommand: AsyncParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "leeway",
    abstract: "Meters and caps LLM calls per app, and says when a model's behaviour has drifted.",
    discussion: """
      Start everything:            leeway serve
      Put an app behind it:        leeway keys issue support
      See what was spent:          leeway usage
      """,
    version: LeewayVersion.text,
    subcommands: [
      ServeCommand.self, GatewayCommand.self, AnalyzeCommand.self, CheckCommand.self,
      KeysCommand.self, UsageCommand.self, SamplesCommand.self, BaselineCommand.self,
      DriftCommand.self, ClassifierCommand.self, ReviewCommand.self, IsolateCommand.self,
      RestoreCommand.self, OrdersCommand.self, RehearseCommand.self, PricesCommand.self,
      RepriceCommand.self, ReconcileCommand.self,
    ])

  public init() {}
}

/// The version, as `--version` and `leeway_build_info` say it.
enum LeewayVersion {
  static let text = "0.1.0"
}

/// What every command that reads policy takes.
struct PolicyOptions: ParsableArguments {
  @Option(help: "The directory that holds gateway.yaml, defaults.yaml, apps/ and prices/.")
  var thresholds = "thresholds"

  /// The settings; where they have faults, all of them go to standard error and the command ends
  /// with 64 (EX_USAGE).
  func load(readsAllBooks: Bool = false) throws -> Settings {
    let (settings, faults) = Settings.load(
      thresholdsDirectory: thresholds, environment: ProcessInfo.processInfo.environment,
      readsAllBooks: readsAllBooks)
    try stop(at: faults)
    guard let settings else { throw ExitCode(64) }
    return settings
  }

  /// Lists the faults and ends with 64 (EX_USAGE); does nothing where there are none.
  func stop(at faults: [Fault]) throws {
    guard !faults.isEmpty else { return }
    for fault in faults.sorted() { Console.error(fault.description) }
    let count = faults.count == 1 ? "1 fault" : "\(faults.count) faults"
    Console.error("leeway: \(count) in \(thresholds); nothing was started or changed.")
    throw ExitCode(64)
  }

  /// The app's settings, or exit 64 with the names that there are.
  func app(_ name: String, in settings: Settings) throws -> AppSettings {
    if let app = settings.apps.first(where: { $0.name == name }) { return app }
    let names = settings.apps.map(\.name).sorted()
    Console.error(
      "leeway: there is no app '\(name)'. "
        + (names.isEmpty
          ? "Declare it in \(thresholds)/apps/\(name).yaml."
          : "Apps: \(names.joined(separator: ", ")). Declare a new one in \(thresholds)/apps/."))
    throw ExitCode(64)
  }
}

/// Where commands write: results to standard output, all else to standard error.
enum Console {
  static func line(_ text: String) { print(text) }

  /// Pushes out what a pipe would hold back.
  static func flush() { fflush(nil) }

  static func error(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Encodes with stable keys, for people and for pipes.
  static func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    line(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// A table with aligned columns; those in `rightAligned` hold numbers.
  static func table(_ header: [String], _ rows: [[String]], rightAligned: Set<Int> = []) {
    let rows = rows.map { $0.map(printable) }
    let widths = header.indices.map { column in
      ([header] + rows).map { $0[column].count }.max() ?? 0
    }
    for row in [header] + rows {
      let cells = row.enumerated().map { column, text in
        let padding = String(repeating: " ", count: widths[column] - text.count)
        return rightAligned.contains(column) ? padding + text : text + padding
      }
      var text = cells.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      line(text)
    }
  }

  /// A longer text behind its name, its further lines indented, at most so many of them.
  static func text(_ name: String, _ text: String, linesMax: Int) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let indent = String(repeating: " ", count: name.count)
    for (index, text) in lines.prefix(linesMax).enumerated() {
      line((index == 0 ? name : indent) + printable(text))
    }
    if lines.count > linesMax { line("\(indent)… \(lines.count - linesMax) more lines") }
  }

  /// Outputs and labels may hold what a terminal obeys.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }))
  }
}

/// Runs a command's work; a fault of one of the modules is told in its own words, and ends the
/// command with 65 (EX_DATAERR), or 75 (EX_TEMPFAIL) where trying again may help.
func reportingFaults(_ work: () throws -> Void) throws {
  do { try work() } catch let fault as AnalyzerFault {
    try fail(fault, isRetryable: fault.isRetryable)
  } catch let fault as StoreFault {
    try fail(fault, isRetryable: fault.isRetryable)
  } catch let fault as ImportFault {
    try fail(fault, isRetryable: fault.isRetryable)
  } catch let fault as PriceFault {
    try fail(fault, isRetryable: false)
  } catch let fault as ReconcileFault {
    try fail(fault, isRetryable: false)
  } catch let fault as AppFault {
    try fail(fault, isRetryable: false)
  }
}

private func fail(_ fault: some Error, isRetryable: Bool) throws {
  Console.error("leeway: \(fault)")
  throw ExitCode(isRetryable ? 75 : 65)
}

/// Wall-clock time: the one place outside the services that reads it.
enum Clock {
  static func now() -> Timestamp {
    Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
  }
}
