// mock-upstream: prints a line `SCENARIO PORT` for each scenario, then `ready`, and serves.

import ArgumentParser
import Foundation
import Sockets

@main
struct MockUpstream: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mock-upstream",
    abstract: "Answer chat completions on loopback, a port a scenario, until ended.")

  func run() throws {
    _ = TCPSocket.raiseDescriptorLimit(to: 65_536)
    let server = try MockServer()
    var lines = ""
    for scenario in Scenario.allCases {
      lines += "\(scenario.rawValue) \(try server.listen(scenario))\n"
    }
    FileHandle.standardOutput.write(Data((lines + "ready\n").utf8))
    server.run()
  }
}
