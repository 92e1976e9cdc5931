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
  var title: String
  /// Whether a subject is started anew for every round, alone: memory that was once taken is not always
  /// given back.
  var isFreshEachRound = false

  var isStream: Bool { !["json", "large", "tls"].contains(upstream) }
  /// TLS on both sides; load and mock are then wrk and nginx.
  var isTLS: Bool { upstream == "tls" }

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
    held(1), held(1_000), held(10_000),
    Scenario(
      name: "large", upstream: "large", kind: .closed(connections: 8), subjects: proxies,
      bodyBytes: 10_000_000, title: "10 MB request, 0.9 kB JSON answer, 8 connections"),
    Scenario(
      name: "tls", upstream: "tls", kind: .closed(connections: 64), subjects: proxies,
      title: "json with TLS from client and to upstream, 64 connections"),
    Scenario(
      name: "apps", upstream: "json", kind: .closed(connections: 64),
      subjects: [
        NginxSubject(), LeewaySubject(name: "leeway"),
        LeewaySubject(name: "leeway-1000-apps", apps: 1_000, keyCount: 100),
      ],
      title: "json with 1,000 apps declared and 100 keys in turn"),
  ]

  private static func held(_ streams: Int) -> Scenario {
    Scenario(
      name: "idle-\(streams)", upstream: "idle", kind: .held(streams: streams),
      subjects: proxies, title: "\(streams) open streams, silent", isFreshEachRound: true)
  }
}
