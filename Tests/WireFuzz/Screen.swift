// What a run says while it lasts and at its end: one line that changes on a terminal, a line every
// ten seconds elsewhere.

import Foundation
import Synchronization
import Wire
import WireFuzzing

final class Screen {
  private let cases: Int
  private let isTerminal = isatty(STDOUT_FILENO) == 1
  private let started = Date()
  private var shown = Date()

  init(cases: Int) { self.cases = cases }

  private func line(_ tally: FuzzTally) -> String {
    let seconds = max(Date().timeIntervalSince(started), 0.001)
    let rate = Double(tally.cases) / seconds
    return
      "\(tally.cases) of \(cases) cases, \(tally.accepted) accepted, \(tally.refused) refused, "
      + "\(Int(rate)) cases/s, \(Int(seconds.rounded())) s"
  }

  func show(_ tally: FuzzTally) {
    guard isTerminal || Date().timeIntervalSince(shown) >= 10 else { return }
    shown = Date()
    print(isTerminal ? "\r\u{1B}[K" + line(tally) : line(tally), terminator: isTerminal ? "" : "\n")
    fflush(nil)
  }

  /// The summary: counts, faults by how often they were met, and what was never met.
  func finish(_ tally: FuzzTally, sides: [WireSide]) {
    print((isTerminal ? "\r\u{1B}[K" : "") + line(tally))
    print("\(tally.messages) messages accepted, \(tally.bytes) bytes")
    for (name, count) in tally.refusals.sorted(by: { $0.count > $1.count }) where count > 0 {
      let number = String(count)
      print(String(repeating: " ", count: max(0, 10 - number.count)) + number + "  " + name)
    }
    let missed = tally.missed(sides)
    print(
      missed.isEmpty
        ? "Every fault and every feature was met."
        : "Never met: " + missed.joined(separator: ", "))
    fflush(nil)
  }
}

/// Ctrl-C ends a run with its summary instead of without one.
final class Interrupt {
  private let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
  private let sent: Flag

  /// Shared with the queue on which the signal arrives.
  private final class Flag: Sendable {
    let isSet = Mutex(false)
  }

  init(_ action: @escaping @Sendable () -> Void) {
    let sent = Flag()
    self.sent = sent
    signal(SIGINT, SIG_IGN)
    source.setEventHandler {
      sent.isSet.withLock { $0 = true }
      action()
    }
    source.resume()
  }

  var wasSent: Bool { sent.isSet.withLock { $0 } }

  func cancel() { source.cancel() }
}
