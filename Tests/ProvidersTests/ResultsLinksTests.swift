// Links to a batch's results lead through the gateway, in whatever pieces they come.

import TestSupport
import Testing

@testable import Providers

@Suite struct ResultsLinksTests {
  private func relayed(_ text: String, cutAt cut: Int) -> String {
    let bytes = Array(text.utf8)
    var links = ResultsLinks()
    var out: [UInt8] = []
    for part in [bytes[..<cut], bytes[cut...]] {
      Array(part).withUnsafeBytes { out += links.take($0) }
    }
    out += links.finish()
    return String(decoding: out, as: UTF8.self)
  }

  @Test(arguments: [
    (
      #"{"id":"b","results_url":"https://api.anthropic.com/v1/messages/batches/b/results","x":1}"#,
      #"{"id":"b","results_url":"/v1/messages/batches/b/results"                         ,"x":1}"#
    ),
    (
      #"[{"results_url" : "http://h:1/a"},{"results_url":null},{"results_url":"https://h/b"}]"#,
      #"[{"results_url" : "/a"          },{"results_url":null},{"results_url":"/b"         }]"#
    ),
    // The name as a value, or as a part of one, is no name.
    (#"{"a":"results_url","b":"https://h/p"}"#, #"{"a":"results_url","b":"https://h/p"}"#),
    (#"{"":"results_url":"#, #"{"":"results_url":"#),
    // What is no such URL stays.
    (#"{"results_url":"https://host"}"#, #"{"results_url":"https://host"}"#),
    (#"{"results_url":"https:\/\/h\/p"}"#, #"{"results_url":"https:\/\/h\/p"}"#),
    (#"{"results_url":"/v1/results"}"#, #"{"results_url":"/v1/results"}"#),
    (#"{"results_url":"https://h/unfinished"#, #"{"results_url":"https://h/unfinished"#),
    (#"{""results_url":"https://h/p"}"#, #"{""results_url":"/p"         }"#),
  ])
  func isShortenedInEverySplit(_ text: String, _ wanted: String) {
    for cut in 0...text.utf8.count { #expect(relayed(text, cutAt: cut) == wanted) }
    #expect(wanted.utf8.count == text.utf8.count)
  }

  @Test func aValueWithoutAnEndIsNotHeldForEver() {
    let long = #"{"results_url":"https://h/"# + String(repeating: "x", count: 5_000)
    var links = ResultsLinks()
    let out = Array(long.utf8).withUnsafeBytes { links.take($0) }
    #expect(String(decoding: out, as: UTF8.self) == long)
  }

  @Test(arguments: [
    ("GET", "/v1/messages/batches", true), ("GET", "/v1/messages/batches/msgbatch_1", true),
    ("POST", "/v1/messages/batches", true),
    ("POST", "/v1/messages/batches/msgbatch_1/cancel", true),
    ("GET", "/v1/messages/batches/msgbatch_1/results", false), ("POST", "/v1/messages", false),
  ])
  func onlyWhatSaysWhereResultsAre(_ method: String, _ path: String, _ isLinked: Bool) {
    let found = Array(method.utf8).withUnsafeBytes { method in
      Array(path.utf8).withUnsafeBytes { path in
        Endpoint.classify(dialect: .anthropic, method: method, path: path).linksResults(path)
      }
    }
    #expect(found == isLinked)
  }
}
