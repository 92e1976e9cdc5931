// Samples: stored as given, found by filter, bounded by age and size.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct SampleTests {
  private let now = Timestamp(milliseconds: 1_700_000_000_000)

  private func sample(_ number: Int, model: String = "gpt-4", tags: [String: String] = [:])
    -> SampleRecord
  {
    SampleRecord(
      app: "chat", origin: "import", model: model,
      time: Timestamp(milliseconds: Int64(number) * 1000), input: "frage \(number)",
      output: "antwort \(number)", tags: tags)
  }

  @Test func aSampleComesBackAsItWas() throws {
    let database = try StoreDatabase.inMemory()
    let odd = "x'); DROP TABLE samples; -- \" \\ \u{1F600} é"
    var given = SampleRecord(
      app: "chat", call: CallID(7), origin: "gateway", model: "gpt-4-0613", time: now,
      status: 502, input: odd, output: "", reference: nil, fields: ["answered": odd, "": "empty"],
      tags: [odd: "v", "a.b[0]": odd + "\0x"], finishReason: "stop", latencyMilliseconds: 812,
      probability: 0.05)
    given.id = try database.insertSamples([given], storedAt: now).first
    #expect(try database.samples(of: SampleSpan(app: "chat")) == [given])
    var imported = sample(1)
    imported.reference = "yes"
    imported.id = try database.insertSamples([imported], storedAt: now).first
    #expect(try database.samples(of: SampleSpan(app: "chat")) == [imported, given])
  }

  @Test func whatFollowsANULIsKept() throws {
    let database = try StoreDatabase.inMemory()
    var given = sample(1)
    (given.input, given.output, given.reference) = ("\0", "a\0b\0", "c\0d")
    try database.insertSamples([given], storedAt: now)
    let stored = try database.samples(of: SampleSpan(app: "chat"))[0]
    #expect(stored.input == "\u{FFFD}" && stored.output == "a\u{FFFD}b\u{FFFD}")
    #expect(stored.reference == "c\u{FFFD}d")
  }

  @Test func aCallIsSampledOnceAndImportsAsOftenAsTheyCome() throws {
    let database = try StoreDatabase.inMemory()
    var gateway = sample(1)
    gateway.call = CallID(7)
    #expect(try database.insertSamples([gateway, gateway, sample(2)], storedAt: now).count == 2)
    #expect(try database.insertSamples([gateway, sample(2)], storedAt: now).count == 1)
    #expect(try database.sampleCount(of: SampleSpan(app: "chat")) == 3)
  }

  @Test func filtersFindWhatTheyNameAndNothingElse() throws {
    let database = try StoreDatabase.inMemory()
    let names = [
      "team", "a.b", "it's", "q\"x", "$[0]", "%", "' OR 1=1 --", "ключ", "back\\slash",
    ]
    for (index, name) in names.enumerated() {
      var record = sample(index, model: "m\(index % 2)", tags: [name: "v=\(name)", "all": "1"])
      record.status = 200 + index
      record.origin = index == 0 ? "gateway" : "import"
      try database.insertSamples([record], storedAt: now)
    }
    for (index, name) in names.enumerated() {
      let filter = try SampleFilter(parsing: ["tag.\(name)=v=\(name)"])
      let found = try database.samples(of: SampleSpan(app: "chat", filter: filter))
      // A name with "=" in it cannot be asked for: the value begins at the first one.
      #expect(found.map(\.input) == (name.contains("=") ? [] : ["frage \(index)"]), "\(name)")
    }
    func count(_ texts: String...) throws -> Int {
      try database.sampleCount(
        of: SampleSpan(app: "chat", filter: SampleFilter(parsing: texts)))
    }
    #expect(try count() == names.count && count("tag.all=1") == names.count)
    #expect(try count("model=m1") == 4 && count("model=m1", "status=203") == 1)
    #expect(try count("origin=gateway") == 1 && count("model=m1", "origin=gateway") == 0)
    #expect(try count("model=m1' OR '1'='1") == 0 && count("tag.all=1' OR '1'='1") == 0)
    #expect(try count("tag.team=v=team", "tag.it's=v=it's") == 0)
  }

  @Test(arguments: [
    "", "model", "=x", "tag.=x", "tag=x", "status=ok", "status=-1", "status=1000", "origin=mars",
    "Model=x", "model =x", "app=chat",
  ])
  func aFilterThatIsNoneIsRefusedWithWhatMayStandThere(text: String) {
    let fault = #expect(throws: StoreFault.self) { try SampleFilter(parsing: [text]) }
    #expect(fault?.code == .invalid && fault?.hint.contains("tag.NAME=VALUE") == true)
  }

  @Test func aFilterReadsBackAsItWasWritten() throws {
    let texts = ["model=gpt-4=x", "origin=import", "status=200", "tag.a b=c = d"]
    #expect(try SampleFilter(parsing: texts).terms.map(\.description) == texts)
  }

  @Test func timesBoundFromIncludedToExcluded() throws {
    let database = try StoreDatabase.inMemory()
    try database.insertSamples([5, 3, 1, 4, 2].map { sample($0) }, storedAt: now)
    let span = SampleSpan(
      app: "chat", since: Timestamp(milliseconds: 2000), until: Timestamp(milliseconds: 5000))
    let found = try database.samples(of: span)
    #expect(try database.sampleCount(of: span) == 3)
    #expect(try database.sampleTimes(of: span)?.last == Timestamp(milliseconds: 4000))
    #expect(found.map(\.input) == ["frage 2", "frage 3", "frage 4"])
    func ends(latestFirst: Bool) throws -> [String] {
      try database.samples(of: SampleSpan(app: "chat"), limit: 2, latestFirst: latestFirst)
        .map(\.input)
    }
    #expect(try ends(latestFirst: false) == ["frage 1", "frage 2"])
    #expect(try ends(latestFirst: true) == ["frage 5", "frage 4"])
    #expect(try database.samples(of: SampleSpan(app: "other")).isEmpty)
  }

  @Test(arguments: [0, 1, 199, 200, 201, 450])
  func aWalkHandsOutEachSampleOnceWhateverThePageHolds(count: Int) throws {
    let database = try StoreDatabase.inMemory()
    // Three samples a moment: a page may end between two of the same time.
    try database.insertSamples((0..<count).map { sample($0 / 3) }, storedAt: now)
    var walked: [SampleRecord] = []
    try database.forEachSample(of: SampleSpan(app: "chat")) { record in
      walked.append(record)
      // The body may use the store.
      let stored = count == 1 ? try database.sampleCount(of: SampleSpan(app: "chat")) : count
      #expect(stored == count)
    }
    #expect(try walked == database.samples(of: SampleSpan(app: "chat")))
    #expect(walked.count == count)
    var some: [String] = []
    try database.forEachSample(
      of: SampleSpan(
        app: "chat", since: Timestamp(milliseconds: 5000), until: Timestamp(milliseconds: 8000))
    ) { some.append($0.input) }
    let wanted = walked.filter { (5000..<8000).contains($0.time.milliseconds) }
    #expect(some == wanted.map(\.input))
  }

  @Test func aWalkThatFailsSaysWhy() throws {
    struct Stop: Error {}
    let database = try StoreDatabase.inMemory()
    try database.insertSamples([sample(1), sample(2)], storedAt: now)
    var seen = 0
    let fault = #expect(throws: StoreFault.self) {
      try database.forEachSample(of: SampleSpan(app: "chat")) { _ in
        seen += 1
        throw Stop()
      }
    }
    #expect(seen == 1 && fault?.cause == "Stop")
  }

  @Test func ageCountsFromStoringNotFromTheCall() throws {
    let database = try StoreDatabase.inMemory()
    try database.insertSamples([sample(1), sample(2)], storedAt: now)
    let later = now.adding(milliseconds: 1000)
    try database.insertSamples([sample(3)], storedAt: later)
    #expect(try database.pruneSamples(olderThan: now, bytesMax: .max) == 0)
    #expect(try database.pruneSamples(olderThan: later, bytesMax: .max) == 2)
    #expect(try database.samples(of: SampleSpan(app: "chat")).map(\.input) == ["frage 3"])
  }

  @Test func theOldestGoUntilTheRestFitsAndTheFileShrinks() throws {
    try withTemporaryDirectory { directory in
      let path = directory.path("leeway.sqlite")
      let database = try StoreDatabase.open(path: path)
      for number in 0..<1200 {
        var record = sample(number)
        record.output = String(repeating: "x", count: 2000)
        try database.insertSamples([record], storedAt: now.adding(milliseconds: Int64(number)))
      }
      try database.reclaimSpace()
      let before = try size(path)
      let bytes = try database.sampleBytes()
      let deleted = try database.pruneSamples(olderThan: now, bytesMax: bytes / 4)
      let left = try database.samples(of: SampleSpan(app: "chat"))
      #expect((890...910).contains(deleted) && left.count == 1200 - deleted)
      #expect(left.first?.input == "frage \(deleted)", "the newest stay")
      #expect(try database.sampleBytes() <= bytes / 4)
      #expect(try database.pruneSamples(olderThan: now, bytesMax: bytes / 4) == 0)
      #expect(try database.reclaimSpace() > 0)
      #expect(try size(path) < before / 2)
      #expect(try size(path + "-wal") == 0)
      try database.close()
    }
  }

  private func size(_ path: String) throws -> Int {
    let file = try OpenFile(path: path, flags: 0)
    defer { file.close() }
    return try file.size()
  }
}
