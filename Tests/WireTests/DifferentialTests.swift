// Whatever our readers accept, NIOHTTP1's parser accepts with the same lines, fields and bytes.
// Two readers that disagree about one message are a way to smuggle another. This is the short form;
// scripts/fuzz reads ten million cases.

import Testing
import Wire
import WireFuzzing

@Suite struct DifferentialTests {
  /// Cases of each side; far below 20 s in a debug build, and enough to meet all there is to meet.
  static let cases: UInt64 = 6_000

  @Test(arguments: [WireSide.request, .response])
  func whatIsAcceptedReadsAsNIOReadsIt(_ side: WireSide) {
    let runner = FuzzRunner()
    for seed in 1...Self.cases {
      let example = FuzzCase(side, seed: seed)
      guard let difference = runner.run(example) else { continue }
      let text = String(decoding: example.bytes, as: UTF8.self).debugDescription
      Issue.record(
        """
        wire-fuzz --side \(side) --seed \(seed) --cases 1: \(difference.reason)
        \(text)
        own \(difference.own)
        NIO \(difference.other)
        """)
      return
    }
    // A generator that is always refused, or never, would prove nothing.
    let tally = runner.tally
    #expect(tally.accepted > tally.cases / 3, "accepted \(tally.accepted)")
    #expect(tally.refused > tally.cases / 20, "refused \(tally.refused)")
    #expect(tally.missed([side]).isEmpty, "never met: \(tally.missed([side]))")
  }

  /// The comparison calls NIO's decoder without a channel of its own: it must say the same.
  @Test(arguments: [WireSide.request, .response])
  func theDecoderReadsAsInAChannel(_ side: WireSide) {
    let other = OtherReader()
    for seed in 1...400 as ClosedRange<UInt64> {
      let example = FuzzCase(side, seed: seed &* 104_729)
      let direct = other.read(
        side, example.bytes, cuts: example.cuts, methods: example.methods)
      let channel = OtherReader.readThroughChannel(
        side, example.bytes, cuts: example.cuts, methods: example.methods)
      #expect(direct == channel, "seed \(example.seed)")
    }
  }
}

/// A comparison that finds nothing is worth as much as its proof that it can find something.
@Suite struct ComparisonTests {
  private static func own(_ text: String, cuts: [Int] = []) -> Transcript {
    TranscriptReader.read(.request, Array(text.utf8), cuts: cuts)
  }

  private static func other(_ text: String) -> OtherReading {
    OtherReader().read(.request, Array(text.utf8), cuts: [], methods: [])
  }

  private static let start = "POST / HTTP/1.1\r\nHost: a\r\n"

  @Test(arguments: [
    ("another target", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"),
    ("another version", "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"),
    ("another value", start + "Content-Length: 02\r\n\r\nhi"),
    ("a field more", start + "X:\r\nContent-Length: 2\r\n\r\nhi"),
    ("another body", start + "Content-Length: 2\r\n\r\nho"),
    ("a refusal", start + "Content-Length: +2\r\n\r\nhi"),
    ("a body that goes on", start + "Content-Length: 2\r\n\r\nh"),
    (
      "a message more",
      start + "Content-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    ),
  ])
  func differencesAreSeen(_ name: String, _ text: String) {
    let own = Self.own(Self.start + "Content-Length: 2\r\n\r\nhi")
    #expect(own.messages.count == 1)
    #expect(own.difference(from: Self.other(text)) != nil)
  }

  @Test func equalReadingsHaveNone() {
    let text =
      Self.start
      + "X: \u{E9}\t \r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nhi\r\n0\r\nY: z\r\n\r\n"
    #expect(Self.own(text).difference(from: Self.other(text)) == nil)
    #expect(Self.own(text).messages.first?.body == Array("hi".utf8))
    #expect(
      Self.own(text).messages.first?.fields
        == ["Host=a", "X=\u{E9}", "Transfer-Encoding=chunked"])
  }

  /// Bytes that are no UTF-8 reach NIO's strings repaired; that is no difference.
  @Test func repairedBytesAreNoDifference() {
    let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8) + [0xC3, 0x0D, 0x0A, 0x0D, 0x0A]
    let own = TranscriptReader.read(.request, bytes)
    #expect(own.messages.count == 1)
    let other = OtherReader().read(.request, bytes, cuts: [], methods: [])
    #expect(own.difference(from: other) == nil)
  }

  @Test func aCaseIsMadeSmall() {
    var example = FuzzCase(.request, seed: 1)
    example.bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: #\r\nY: b\r\n\r\n".utf8)
    example.cuts = [3, 22, 30]
    let small = example.smallest { $0.bytes.contains(UInt8(ascii: "#")) }
    #expect(small.bytes == [UInt8(ascii: "#")])
    #expect(small.cuts.isEmpty)
    // Where the cut matters it stays, and moves with the bytes around it.
    let cut = example.smallest { example in
      example.cuts.contains { example.bytes[$0] == UInt8(ascii: "a") }
    }
    #expect(cut.cuts == [1])
    #expect(cut.bytes.count == 2)
  }

  @Test func aCaseIsMadeFromItsSeedAlone() {
    #expect(FuzzCase(.request, seed: 7) == FuzzCase(.request, seed: 7))
    #expect(FuzzCase(.request, seed: 7).bytes != FuzzCase(.request, seed: 8).bytes)
  }
}
