// Memory with many streams open and silent.

import Foundation
import Measures

extension Runner {
  /// Opens the streams, reads the subject's memory, and lets them go.
  func hold(
    _ scenario: Scenario, _ subject: RunningSubject, streams: Int
  ) throws -> [Figure: Double] {
    let possible = min(streams, site.descriptorLimit / 2 - 100)
    if possible < streams {
      let note =
        "\(scenario.name): \(possible) streams; the system lets a process open"
        + " \(site.descriptorLimit) descriptors, and a stream takes two"
      if !notes.contains(note) { notes.append(note) }
    }
    var arguments = [
      plan.loadGenerator, "--port", String(subject.port), "--path",
      subject.path(scenario.upstream), "--connections", String(possible), "--stream", "--hold",
    ]
    if let keys = subject.keys { arguments += ["--keys", keys] }
    let generator = try ChildProcess(
      arguments, core: plan.loadCore, log: site.log("load"), readsOutput: true)
    defer { generator.stop() }
    let answer = String(decoding: generator.readAvailable(), as: UTF8.self)
    guard answer.hasPrefix("open") else {
      let messages = (try? String(contentsOfFile: site.log(subject.name), encoding: .utf8)) ?? ""
      throw BenchFault("\(subject.name), \(scenario.name): \(answer)\(messages.suffix(1_000))")
    }
    subject.account?.settle()
    try subject.verifyOpen(possible)
    let resident = subject.account?.residentMebibytes() ?? 0
    generator.write("done")
    _ = generator.finish()
    return [.resident: resident]
  }
}
