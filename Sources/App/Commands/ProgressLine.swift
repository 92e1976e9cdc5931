// How far long work is: a bar at a terminal, now and then a line elsewhere.

import Foundation

/// Shows progress on standard error, so that results stay alone on standard output.
final class ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var shown: ContinuousClock.Instant?
  private var isDrawn = false

  private static let width = 30
  /// Between two lines, or two drawings of the bar.
  private var pause: Duration { isTerminal ? .milliseconds(100) : .seconds(5) }

  /// - Parameter total: at least 1.
  func show(_ what: String, _ done: Int, of total: Int) {
    let now = ContinuousClock.now
    if let shown, now - shown < pause, done < total { return }
    shown = now
    let percent = done * 100 / max(total, 1)
    guard isTerminal else {
      Console.error("\(what): \(done) of \(total), \(percent) %")
      return
    }
    let full = min(Self.width, done * Self.width / max(total, 1))
    let bar =
      String(repeating: "█", count: full) + String(repeating: "░", count: Self.width - full)
    draw("\r\(bar) \(percent) %  \(what)")
    isDrawn = true
  }

  /// Takes the bar away again.
  func end() {
    if isDrawn { draw("\r\u{1B}[K") }
    isDrawn = false
  }

  private func draw(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
