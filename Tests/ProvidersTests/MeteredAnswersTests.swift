// Every recording under samples: what the meter must read of it, in any split.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

/// What must be read of a recording.
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

/// One recording of an answer.
struct MeteredAnswer: CustomStringConvertible, Sendable {
  /// Below `samples`.
  var path: String
  var description: String { path }
  var file: URL { Self.samples.appending(path: path) }

  static let samples = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "samples")

  static let folder = samples.appending(path: "metered")

  static let all: [MeteredAnswer] = {
    let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    return (files ?? []).filter { $0.hasSuffix(".expected.json") }
      .map { MeteredAnswer(path: "metered/" + $0.dropLast(".expected.json".count)) }
      .filter { !$0.path.hasSuffix(".jsonl") }.sorted { $0.path < $1.path }
  }()

  /// What the rehearsal upstream answers with.
  private static let recorded = samples.appending(path: "recorded/expected.json")

  static let allRecorded: [MeteredAnswer] = {
    let files = (try? Data(contentsOf: recorded)).flatMap {
      try? JSONDecoder().decode([String: Expected].self, from: $0)
    }
    return (files ?? [:]).keys.sorted().map { MeteredAnswer(path: "recorded/" + $0) }
  }()

  fileprivate func expected() throws -> Expected {
    guard path.hasPrefix("recorded/") else {
      return try JSONDecoder().decode(
        Expected.self, from: Data(contentsOf: file.appendingPathExtension("expected.json")))
    }
    let all = try JSONDecoder().decode(
      [String: Expected].self, from: Data(contentsOf: Self.recorded))
    return try #require(all[String(path.dropFirst("recorded/".count))])
  }
}

@Suite struct MeteredAnswersTests {
  private static func reader(_ operation: Providers.Operation, _ path: String) -> any PayloadReader
  {
    path.hasSuffix(".json") ? operation.answerReader() : operation.streamReader(hidesUsage: false)
  }

  static func counts(_ usage: Usage) -> [String: Int64] {
    var counts: [String: Int64] = [:]
    usage.forEachCount { counts[$0.name] = $1 }
    return counts
  }

  /// Of every answer that the rehearsal upstream has, too.
  @Test func thereAreRecordings() {
    #expect(!MeteredAnswer.all.isEmpty)
    let folder = MeteredAnswer.samples.appending(path: "recorded").path
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
    let answers = (files ?? []).filter { $0.contains("/") }.map { "recorded/" + $0 }
    #expect(answers.count >= 30 && Set(answers) == Set(MeteredAnswer.allRecorded.map(\.path)))
  }

  /// Where a body is cut. A short one in two at each of its bytes; in a longer one, which would
  /// take the square of its length, every byte is a cut of one reading in pieces of some length.
  private static func cuts(of count: Int) -> [[Int]] {
    guard count > 3_000 else { return (0...count).map { [$0] } }
    return [61, 509].flatMap { length in
      (0..<length).map { Array(stride(from: $0, through: count, by: length)) }
    }
  }

  @Test(arguments: MeteredAnswer.all + MeteredAnswer.allRecorded)
  func isReadAsExpectedInEverySplit(answer: MeteredAnswer) throws {
    let body = [UInt8](try Data(contentsOf: answer.file))
    let expected = try answer.expected()
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
    for cuts in Self.cuts(of: body.count) {
      let pieces = zip([0] + cuts, cuts + [body.count]).map { body[$0..<$1] }
      if read(pieces) != whole { Issue.record("\(answer.path) cut at \(cuts)") }
    }
    #expect(read(body.indices.map { body[$0..<$0 + 1] }) == whole)
  }

  /// Comments, pings, other line ends, data over several lines, unknown events, garbage: in any
  /// split, none of it changes what is read.
  @Test(arguments: MeteredAnswer.all + MeteredAnswer.allRecorded)
  func noiseChangesNothing(answer: MeteredAnswer) throws {
    let body = [UInt8](try Data(contentsOf: answer.file))
    let expected = try answer.expected()
    let operation = try #require(
      Providers.Operation.allCases.first { "\($0)" == expected.operation })
    func read(_ body: [UInt8], inPiecesOf size: Int) -> CallReading {
      let reader = Self.reader(operation, answer.path)
      for start in stride(from: 0, to: body.count, by: size) {
        body[start..<min(start + size, body.count)].withUnsafeBytes { _ = reader.feed($0) }
      }
      _ = reader.finish()
      return reader.reading
    }
    let quiet = read(body, inPiecesOf: body.count)
    try checkProperty(answer.path, runs: 60, countMax: 12) { generator in
      Noise(
        kind: generator.int(0...59), place: generator.int(0...9_999), detail: generator.int(0...99))
    } check: { noise in
      let noisy = NoisyAnswer.bytes(of: body, path: answer.path, noise: noise)
      for size in [noisy.count, 1 + (noise.first?.place ?? 0) % 97, 1] {
        let reading = read(noisy, inPiecesOf: size)
        try require(reading == quiet, "in pieces of \(size): \(reading), not \(quiet)")
      }
    }
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
    let body = [UInt8](try Data(contentsOf: answer.file))
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
        let pieces = Self.reader(operation, answer.path)
        let size = 1 + Int((numbers.first ?? 0) % 61)
        for start in stride(from: 0, to: garbled.count, by: size) {
          garbled[start..<min(start + size, garbled.count)].withUnsafeBytes { pieces.feed($0) }
        }
        _ = pieces.finish()
        try require(reader.reading == pieces.reading, "pieces of \(size) are read otherwise")
        reader.reading.usage?.forEachCount { bucket, count in
          #expect(count > 0, "\(bucket) of \(answer.path)")
        }
      }
    }
  }
}
