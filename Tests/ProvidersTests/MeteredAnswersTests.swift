// Every recording under samples/metered: what the meter must read of it, in any split.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

/// What a recording's sibling file says.
private struct Expected: Decodable {
  struct Other: Decodable {
    var model: String
    var usage: [String: Int64]
  }

  var operation: String
  var usage: [String: Int64]?
  var response_model: String?
  var service_tier: String?
  var finish_reason: String?
  var complete: Bool
  var error: Bool?
  var other_models: [Other]?
}

/// One recording.
struct MeteredAnswer: CustomStringConvertible, Sendable {
  var path: String
  var description: String { path }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "samples/metered")

  static let all: [MeteredAnswer] = {
    let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    return (files ?? []).filter { $0.hasSuffix(".expected.json") }.sorted()
      .map { MeteredAnswer(path: String($0.dropLast(".expected.json".count))) }
  }()
}

@Suite struct MeteredAnswersTests {
  private static func reader(_ operation: Providers.Operation, _ path: String) -> any PayloadReader
  {
    path.hasSuffix(".json") ? operation.answerReader() : operation.streamReader(hidesUsage: false)
  }

  private static func counts(_ usage: Usage) -> [String: Int64] {
    var counts: [String: Int64] = [:]
    usage.forEachCount { counts[$0.name] = $1 }
    return counts
  }

  @Test func thereAreRecordings() { #expect(!MeteredAnswer.all.isEmpty) }

  @Test(arguments: MeteredAnswer.all)
  func isReadAsExpectedInEverySplit(answer: MeteredAnswer) throws {
    let file = MeteredAnswer.folder.appending(path: answer.path)
    let body = [UInt8](try Data(contentsOf: file))
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: file.appendingPathExtension("expected.json")))
    let operation = try #require(
      Providers.Operation.allCases.first { "\($0)" == expected.operation })
    func read(_ pieces: [ArraySlice<UInt8>]) -> CallReading {
      let reader = Self.reader(operation, answer.path)
      for piece in pieces {
        Array(piece).withUnsafeBytes {
          #expect(reader.feed($0).bytes(of: $0) == Array(piece))
        }
      }
      _ = reader.finish()
      return reader.reading
    }
    let whole = read([body[...]])
    #expect(whole.usage.map(Self.counts) == expected.usage)
    #expect(whole.usage.map(\.source) == expected.usage.map { _ in .reported })
    #expect(whole.responseModel == expected.response_model ?? "")
    #expect(whole.served == expected.service_tier)
    #expect(whole.finishReason == expected.finish_reason)
    #expect(whole.isComplete == expected.complete)
    #expect(whole.sawError == expected.error ?? false)
    #expect(!whole.isUsageInconsistent)
    #expect(whole.otherModels.map(\.model) == (expected.other_models ?? []).map(\.model))
    #expect(
      whole.otherModels.map { Self.counts($0.usage) } == (expected.other_models ?? []).map(\.usage))
    for cut in 0...body.count where read([body[..<cut], body[cut...]]) != whole {
      Issue.record("\(answer.path) cut at \(cut)")
    }
    #expect(read(body.indices.map { body[$0..<$0 + 1] }) == whole)
  }

  /// A name that is too long is none, however the answer was split.
  @Test(arguments: [256, 257, 300])
  func longNamesAreReadTheSameInEverySplit(count: Int) {
    let name = String(repeating: "m", count: count)
    let body = Array(#"{"model":"\#(name)","done_reason":"\#(name)","service_tier":"x"}"#.utf8)
    for operation in Providers.Operation.allCases {
      func read(_ cut: Int) -> CallReading {
        let reader = operation.answerReader()
        for piece in [body[..<cut], body[cut...]] {
          Array(piece).withUnsafeBytes { _ = reader.feed($0) }
        }
        return reader.reading
      }
      for cut in body.indices where read(cut) != read(0) {
        Issue.record("\(operation) cut at \(cut)")
      }
    }
  }

  /// Whatever a peer or the network does to an answer: no crash, no count out of range.
  @Test(arguments: MeteredAnswer.all)
  func garbledAnswersAreSafe(answer: MeteredAnswer) throws {
    let body = [UInt8](try Data(contentsOf: MeteredAnswer.folder.appending(path: answer.path)))
    for operation in Providers.Operation.allCases {
      try checkProperty(answer.path, over: 0...Int64.max, runs: 40, countMax: 6) { numbers in
        var garbled = body
        for number in numbers where !garbled.isEmpty {
          let place = Int(number % Int64(garbled.count))
          switch number % 4 {
          case 0: garbled[place] = UInt8(truncatingIfNeeded: number >> 8)
          case 1: garbled.remove(at: place)
          case 2: garbled.insert(contentsOf: Array("9999999999999999".utf8), at: place)
          default: garbled.removeSubrange(place..<min(place + 7, garbled.count))
          }
        }
        let reader = Self.reader(operation, answer.path)
        garbled.withUnsafeBytes { _ = reader.feed($0) }
        _ = reader.finish()
        reader.reading.usage?.forEachCount { bucket, count in
          #expect(count > 0, "\(bucket) of \(answer.path)")
        }
      }
    }
  }
}
