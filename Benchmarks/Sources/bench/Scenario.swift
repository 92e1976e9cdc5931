// The scenarios, and what each measures of its subjects.

import Measures

struct Scenario: Sendable {
  enum Kind {
    /// Connections that call as fast as they are answered.
    case closed(connections: Int)
    /// Calls at one rate for all subjects.
    case rate
    /// Paced streams at a low rate.
    case paced(streamsPerSecond: Double)
    /// So many streams open, all silent.
    case held(streams: Int)
  }

  var name: String
  /// Of the mock.
  var upstream: String
  var kind: Kind
  var subjects: [any Subject]
  var bodyBytes: Int?
  /// For a closed loop: the share of the usual time that it takes to see something.
  var title: String

  var isStream: Bool { upstream != "json" && upstream != "large" }

  private static let proxies: [any Subject] = [
    NginxSubject(), HAProxySubject(), LeewaySubject(name: "leeway"),
  ]

  static let all: [Scenario] = [
    Scenario(
      name: "json", upstream: "json", kind: .closed(connections: 64), subjects: proxies,
      title: "1.6 kB request, 0.9 kB JSON answer, 64 connections"),
    Scenario(
      name: "burst", upstream: "burst", kind: .closed(connections: 64), subjects: proxies,
      title: "stream of 40 events in one write, 64 connections"),
    Scenario(
      name: "events", upstream: "events", kind: .closed(connections: 64), subjects: proxies,
      title: "stream of 40 events, a write an event, 64 connections"),
    Scenario(
      name: "rate", upstream: "json", kind: .rate, subjects: [DirectSubject()] + proxies,
      title: "json at half of the least saturation, latency from the time a call was due"),
    Scenario(
      name: "paced", upstream: "paced", kind: .paced(streamsPerSecond: 50),
      subjects: [DirectSubject()] + proxies,
      title: "streams of an event every 10 ms, about 20 at a time"),
  ]
}
