// Importing logs as samples: what RFC 4180 and JSON Lines allow, and what is refused, and how.

import Foundation
import Metering
import Store
import TestSupport
import Testing

@testable import App

@Suite("Import")
struct ImportTests {
  private let now = Timestamp(milliseconds: 1_764_000_000_000)

  /// Imports a text into an empty store; what is then in it.
  private func imported(
    _ text: String, as name: String = "log.csv", map: [String] = ["output=answer"]
  ) throws -> [SampleRecord] { try imported(bytes: Array(text.utf8), as: name, map: map) }

  private func imported(
    bytes: [UInt8], as name: String, map: [String]
  ) throws -> [SampleRecord] {
    try withTemporaryDirectory { directory in
      let file = directory.path(name)
      try Data(bytes).write(to: URL(fileURLWithPath: file))
      let store = try StoreDatabase.inMemory()
      do {
        let count = try SampleImport(
          file: file, app: "support", mapping: SampleMapping(parsing: map), now: now
        ).run(into: store)
        let samples = try store.samples(of: SampleSpan(app: "support"))
        #expect(samples.count == count)
        return samples
      } catch {
        #expect(
          try store.sampleCount(of: SampleSpan(app: "support")) == 0,
          "a refused file left samples behind")
        throw error
      }
    }
  }

  /// The fault of a text that must be refused.
  private func fault(
    _ text: String, as name: String = "log.csv", map: [String] = ["output=answer"]
  ) throws -> ImportFault {
    try fault(bytes: Array(text.utf8), as: name, map: map)
  }

  private func fault(
    bytes: [UInt8], as name: String = "log.csv", map: [String] = ["output=answer"]
  ) throws -> ImportFault {
    let thrown = #expect(throws: ImportFault.self) {
      try imported(bytes: bytes, as: name, map: map)
    }
    return try #require(thrown)
  }

  // MARK: CSV

  @Test func everyKeyOfTheMapping() throws {
    let samples = try imported(
      """
      id,answer,prompt,model,when,truth,human,region
      1,yes,Is 7 prime?,gpt-4-0314,2023-07-02T21:28:40Z,yes,answered,eu
      2,no,Is 8 prime?,gpt-4-0613,2023-07-03T00:00:00Z,,,
      """,
      map: [
        "output=answer", "input=prompt", "model=model", "time=when", "reference=truth",
        "label.human=human", "tag.region=region",
      ])
    try #require(samples.count == 2)
    #expect(samples[0].output == "yes")
    #expect(samples[0].input == "Is 7 prime?")
    #expect(samples[0].model == "gpt-4-0314")
    #expect(samples[0].time.milliseconds == 1_688_333_320_000)
    #expect(samples[0].reference == "yes")
    #expect(samples[0].fields == ["human": "answered"])
    #expect(samples[0].tags == ["region": "eu"])
    #expect(samples[0].origin == "import")
    #expect(samples[0].app == "support")
    #expect(samples[0].probability == 1)
    // An empty cell is no reference, no label and no tag.
    #expect(samples[1].reference == nil)
    #expect(samples[1].fields.isEmpty)
    #expect(samples[1].tags.isEmpty)
  }

  @Test func quotesLineBreaksAndCommasInFields() throws {
    let samples = try imported(
      "answer,model\r\n\"a, \"\"b\"\"\r\nc\",m1\r\n\"\",m2\r\nplain \"quote,m3\r\n\"é🙂\",m4",
      map: ["output=answer", "model=model"])
    #expect(samples.map(\.output) == ["a, \"b\"\r\nc", "", "plain \"quote", "é🙂"])
    #expect(samples.map(\.model) == ["m1", "m2", "m3", "m4"])
  }

  @Test(arguments: ["\n", "\r\n", "\r"], ["", "\u{FEFF}"])
  func lineEndsBlankLinesAndByteOrderMark(_ end: String, _ mark: String) throws {
    let text = mark + ["answer,n", "x,1", "", "y,2", "", ""].joined(separator: end)
    #expect(try imported(text).map(\.output) == ["x", "y"])
    #expect(try imported(mark + "answer" + end + "x").map(\.output) == ["x"])
  }

  @Test func aFieldOfManyMegabytes() throws {
    let large = String(repeating: "0123456789\n\"\"", count: 300_000)
    let samples = try imported("answer,n\n\"\(large)\",1\nsmall,2\n")
    #expect(samples.map(\.output.utf8.count) == [12 * 300_000, 5])
  }

  @Test func withoutAColumnOfTimesItIsNow() throws {
    #expect(try imported("answer\nx\n").map(\.time) == [now])
  }

  @Test func missingColumnsAreNamed() throws {
    let found = try fault("id,answr\n1,x\n")
    #expect(found.code == .mapping)
    #expect(found.message.contains("no column 'answer'"))
    #expect(found.hint == "Columns: 'id', 'answr'.")
    #expect(try fault("id;answer\n1;x\n").hint.contains("separated by commas"))
    #expect(try fault("answer,answer\n1,x\n").message.contains("2 columns called 'answer'"))
    #expect(try fault("").message.hasSuffix("is empty"))
    #expect(try fault("answer\n\n").message.hasSuffix("holds no sample"))
  }

  @Test func everyFaultyRowIsToldAtOnceAndNothingIsKept() throws {
    let found = try fault(
      "answer,when\nx,2023-07-02\n\"two\nlines\",yesterday\ny\nz,\nw,1,2\n",
      map: ["output=answer", "time=when"])
    #expect(found.code == .rows)
    #expect(found.rows.map(\.line) == [3, 5, 6, 7])
    #expect(found.rowCount == 4)
    #expect(found.description.contains("line 5: 1 fields where the first line has 2"))
    // A value might be a prompt: it is not repeated.
    #expect(!found.description.contains("yesterday"))
    #expect(found.description.contains("nothing was imported"))
  }

  @Test func aLongListOfFaultsIsCut() throws {
    let rows = (0..<500).map { _ in "x" }.joined(separator: "\n")
    let found = try fault("answer,n\n\(rows)\n")
    #expect(found.rows.count == ImportFault.rowsMax)
    #expect(found.rowCount == 500)
    #expect(found.description.contains("… and 480 more"))
  }

  @Test func brokenQuotes() throws {
    let open = try fault("answer,n\nx,1\n\"never closed,2\ny,3\n")
    #expect(open.code == .format)
    #expect(open.message == "the row that starts in line 3 opens a quote that is never closed")
    let after = try fault("answer,n\n\"x\"y,1\n")
    #expect(after.message == "line 2: text stands after a closing quote, in field 1")
  }

  @Test func bytesThatAreNotUTF8() throws {
    let found = try fault(bytes: Array("n,answer\n1,".utf8) + [0xE9, 0x0A])
    #expect(found.rows == [.init(line: 2, message: "column 'answer' is not UTF-8")])
    // A column that nobody asked for may hold anything.
    let other = try imported(
      bytes: Array("n,answer\n".utf8) + [0xE9] + Array(",x\n".utf8), as: "log.csv",
      map: ["output=answer"])
    #expect(other.map(\.output) == ["x"])
  }

  // MARK: JSON Lines

  @Test func linesOfJSON() throws {
    let samples = try imported(
      """
      {"answer":"a \\"b\\"\\n","model":"m","ts":1688333320,"tags":{"x/y":[{"z":"deep"}]},"ok":true}

      {"answer":null,"model":null,"ts":1688333320123,"tags":{"x/y":[]},"ok":false}\r
      {"answer":{"b":[1,2.5,"é"],"a":null},"model":7,"ts":1688333320.5,"tags":{},"ok":null}
      """,
      as: "log.jsonl",
      map: ["output=answer", "model=model", "time=ts", "tag.z=/tags/x~1y/0/z", "label.ok=ok"])
    #expect(samples.count == 3)
    let byTime = samples.sorted { $0.time < $1.time }
    #expect(byTime.map(\.output) == ["a \"b\"\n", "", #"{"a":null,"b":[1,2.5,"é"]}"#])
    #expect(byTime.map(\.model) == ["m", "", "7"])
    #expect(byTime.map(\.tags) == [["z": "deep"], [:], [:]])
    #expect(byTime.map(\.fields) == [["ok": "true"], ["ok": "false"], [:]])
    #expect(
      byTime.map(\.time.milliseconds) == [1_688_333_320_000, 1_688_333_320_123, 1_688_333_320_500])
  }

  @Test func faultyLinesOfJSON() throws {
    let found = try fault(
      "{\"answer\":\"x\"}\n{\"answer\":\n[1]\n{\"other\":1}\n\"text\"\n", as: "log.ndjson")
    #expect(found.rows.map(\.line) == [2, 3, 4, 5])
    #expect(found.rows[1].message == "a JSON array; each line must be one object")
    #expect(found.rows[2].message == "'answer', the output, is missing")
  }

  @Test func aColumnThatNoLineHasIsASlip() throws {
    let found = try fault(
      "{\"answer\":\"x\"}\n{\"answer\":\"y\"}\n", as: "log.jsonl",
      map: ["output=answer", "model=mdl"])
    #expect(found.code == .mapping)
    #expect(found.message.contains("'mdl'"))
  }

  // MARK: File and mapping

  @Test func filesThatAreNoFiles() throws {
    #expect(try fault("answer\nx\n", as: "log.txt").code == .format)
    try withTemporaryDirectory { directory in
      let mapping = try SampleMapping(parsing: ["output=a"])
      let store = try StoreDatabase.inMemory()
      for (path, words) in [
        (directory.path("none.csv"), "there is no file"),
        (directory.path + "/f.csv", "is a folder"),
      ] {
        if words == "is a folder" {
          try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        let thrown = #expect(throws: ImportFault.self) {
          try SampleImport(file: path, app: "a", mapping: mapping, now: now).run(into: store)
        }
        #expect(try #require(thrown).message.contains(words))
      }
    }
  }

  @Test func faultsOfTheMapping() throws {
    for (texts, words) in [
      (["output=a", "modle=b"], "knows no key 'modle'"), (["output"], "names no column"),
      (["output="], "names no column"), (["output=a", "output=b"], "gives 'output' twice"),
      (["model=a"], "no column is mapped to 'output'"), ([], "no column is mapped to 'output'"),
      (["output=a", "label.=b"], "knows no key 'label.'"),
    ] {
      let thrown = #expect(throws: ImportFault.self) { try SampleMapping(parsing: texts) }
      let found = try #require(thrown)
      #expect(found.code == .mapping)
      #expect(found.message.contains(words), "\(found)")
    }
    let thrown = #expect(throws: ImportFault.self) { try SampleMapping(parsing: ["modle=b"]) }
    #expect(try #require(thrown).hint.hasSuffix("; did you mean 'model'?"))
    let mapping = try SampleMapping(parsing: ["output=a=b", "label.x.y=Response Rate"])
    #expect(mapping.entries.map(\.column) == ["a=b", "Response Rate"])
    #expect(mapping.entries[1].key == .label("x.y"))
  }

  @Test func secretsAreTakenOut() throws {
    let key = "sk-" + String(repeating: "aB3dE5", count: 8)
    let samples = try imported(
      "answer,prompt\nuse \(key) now,my key is \(key)\n", map: ["output=answer", "input=prompt"])
    #expect(!samples[0].output.contains(key))
    #expect(!samples[0].input.contains(key))
    #expect(samples[0].output.contains("[redacted:"))
  }

  @Test func moreRowsThanOneTransaction() throws {
    let count = SampleImport.batchRowsMax * 2 + 7
    let rows = (0..<count).map { "a\($0)" }.joined(separator: "\n")
    #expect(try imported("answer\n\(rows)\n").count == count)
  }

  // MARK: Real data

  @Test(
    .enabled(if: ReferenceData.isPresent, Comment(rawValue: ReferenceData.skipReason)),
    arguments: [("PRIME_FULL", 1_000), ("COUNTAHAPPYNUMBER", 500), ("SENSITIVEQ", 100)])
  func publishedAnswers(_ task: String, _ perModel: Int) throws {
    let file = try #require(ReferenceData.file("llmdrift/\(task)_EVAL.csv"))
    let store = try StoreDatabase.inMemory()
    let mapping = try SampleMapping(parsing: [
      "output=answer", "input=query", "model=model", "reference=ref_answer", "time=timestamp",
    ])
    let count = try SampleImport(file: file.path, app: "a", mapping: mapping, now: now)
      .run(into: store)
    #expect(count == 4 * perModel)
    for model in ["gpt-4-0314", "gpt-4-0613", "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613"] {
      let filter = try SampleFilter(parsing: ["model=openaichat/\(model)"])
      #expect(try store.sampleCount(of: SampleSpan(app: "a", filter: filter)) == perModel)
    }
    let times = try store.samples(of: SampleSpan(app: "a")).map(\.time.milliseconds)
    #expect(times.allSatisfy { (1_688_256_000_000..<1_690_416_000_000).contains($0) })
  }
}
