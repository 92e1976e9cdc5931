// Recordings that tell of many calls, a message or a document a line: results of batches, sessions
// over a WebSocket. And of what costs nothing: its path says so, whatever stands in the answer.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

private struct Expected: Decodable {
  struct Answer: Decodable, Equatable {
    var usage: [String: Int64]?
    var response_model: String?
    var service_tier: String?
    var finish_reason: String?
  }

  /// Of results: the job's kind.
  var job: String?
  var operation: String
  var answers: [Answer]
  /// Responses of a session that began.
  var began: Int?
}

@Suite struct MeteredLinesTests {
  static let files: [String] = {
    let files = FileManager.default.enumerator(atPath: MeteredAnswer.folder.path)?
      .compactMap { $0 as? String }
    return (files ?? []).filter { $0.hasSuffix(".jsonl.expected.json") }.sorted()
      .map { String($0.dropLast(".expected.json".count)) }
  }()

  /// What was read of one file.
  private struct Seen: Equatable {
    var readings: [CallReading] = []
    var began = 0
    var isBroken = false
  }

  private static func results(
    _ empty: JobResultsReader, _ pieces: [ArraySlice<UInt8>]
  ) -> Seen {
    var reader = empty
    var seen = Seen()
    for piece in pieces { piece.withUnsafeBytes { reader.feed($0) { seen.readings.append($0) } } }
    reader.finish { seen.readings.append($0) }
    seen.isBroken = reader.isBroken || reader.answered != Int64(seen.readings.count)
    return seen
  }

  /// Each line is a message of its own; a piece may end within one.
  private static func session(_ pieces: [ArraySlice<UInt8>]) -> Seen {
    let reader = RealtimeReader()
    var seen = Seen()
    for piece in pieces {
      piece.withUnsafeBytes { bytes in
        forEachLinePiece(of: bytes) { part, endsMessage in
          reader.feed(part)
          guard endsMessage else { return }
          switch reader.endMessage() {
          case .responseBegan: seen.began += 1
          case .responseEnded(let reading), .transcribed(let reading):
            seen.readings.append(reading)
          case nil: break
          }
        }
      }
    }
    return seen
  }

  @Test func thereAreSome() { #expect(Self.files.count >= 6) }

  @Test(arguments: files)
  func isReadAsExpectedInEverySplit(file: String) throws {
    let url = MeteredAnswer.folder.appending(path: file)
    let body = [UInt8](try Data(contentsOf: url))
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: url.appendingPathExtension("expected.json")))
    let operation = try #require(
      Providers.Operation.allCases.first { "\($0)" == expected.operation })
    let kind = FollowedJob.Kind.allCases.first { "\($0)" == expected.job }
    let results = kind.flatMap { JobResultsReader($0, operation) }
    #expect((results != nil) == (expected.job != nil) && operation.isSocket == (results == nil))
    func read(_ pieces: [ArraySlice<UInt8>]) -> Seen {
      results.map { Self.results($0, pieces) } ?? Self.session(pieces)
    }
    let whole = read([body[...]])
    #expect(!whole.isBroken && whole.began == expected.began ?? 0)
    let answers = whole.readings.map { reading in
      Expected.Answer(
        usage: reading.usage.map(MeteredAnswersTests.counts), response_model: reading.responseModel,
        service_tier: reading.serviceTier,
        // Of results only the cost is kept.
        finish_reason: results == nil ? reading.finishReason : nil)
    }
    #expect(answers == expected.answers)
    #expect(whole.readings.allSatisfy { !$0.isUsageInconsistent })
    for cut in 0...body.count where read([body[..<cut], body[cut...]]) != whole {
      Issue.record("\(file) cut at \(cut)")
    }
    #expect(read(body.indices.map { body[$0...$0] }) == whole)
  }

  /// Other messages of a session and garbage among its lines; blanks, other line ends and lines
  /// that cannot be read among a batch's results, which are noted.
  @Test(arguments: files)
  func noiseChangesNoAnswer(file: String) throws {
    let url = MeteredAnswer.folder.appending(path: file)
    let body = [UInt8](try Data(contentsOf: url))
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: url.appendingPathExtension("expected.json")))
    let operation = Providers.Operation.allCases.first { "\($0)" == expected.operation }
    let kind = FollowedJob.Kind.allCases.first { "\($0)" == expected.job }
    let results = kind.flatMap { JobResultsReader($0, operation) }
    func read(_ body: [UInt8], inPiecesOf size: Int) -> Seen {
      let pieces = stride(from: 0, to: body.count, by: size).map {
        body[$0..<min($0 + size, body.count)]
      }
      return results.map { Self.results($0, pieces) } ?? Self.session(pieces)
    }
    let quiet = read(body, inPiecesOf: body.count)
    try checkProperty(file, runs: 60, countMax: 12) { generator in
      Noise(
        kind: generator.int(0...59), place: generator.int(0...9_999), detail: generator.int(0...99))
    } check: { noise in
      let noisy = NoisyAnswer.bytes(of: body, path: file, noise: noise)
      for size in [noisy.count, 1 + (noise.first?.place ?? 0) % 97, 1] {
        let seen = read(noisy, inPiecesOf: size)
        try require(seen.readings == quiet.readings && seen.began == quiet.began, "\(seen)")
      }
    }
  }

  // MARK: What costs nothing

  private struct Free: Decodable {
    var file: String
    var dialect: String
    var method: String
    var path: String
    var endpoint: String
  }

  @Test func whatIsFreeOrWasChargedBeforeIsKnownByItsPath() throws {
    let folder = MeteredAnswer.folder.appending(path: "free")
    let list = try JSONDecoder().decode(
      [Free].self, from: Data(contentsOf: folder.appending(path: "paths.json")))
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(list.map(\.file) + ["paths.json"]) == Set(files))
    for free in list {
      let dialect = try #require(DialectID(rawValue: free.dialect))
      let endpoint = Endpoint.classify(
        dialect: dialect, method: free.method, path: free.path)
      #expect("\(endpoint)" == free.endpoint, "\(free.file)")
    }
  }
}
