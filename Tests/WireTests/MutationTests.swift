// Properties over generated connections: no split changes a reading, no byte crashes it, and memory
// behind the last byte is never touched (see GuardedMemory).

import TestSupport
import Testing
import Wire
import WireFuzzing

@Suite struct MutationTests {
  @Test(arguments: [WireSide.request, .response])
  func noSplitChangesAReading(_ side: WireSide) {
    let memory = GuardedMemory()
    for seed in 1...400 as ClosedRange<UInt64> {
      let example = FuzzCase(side, seed: seed &* 7919)
      func read(_ cuts: [Int]) -> Transcript {
        TranscriptReader.read(
          side, example.bytes, cuts: cuts, methods: example.methods, limits: example.limits,
          memory: memory)
      }
      let whole = read([])
      let single = read(Array(1..<max(2, example.bytes.count)))
      #expect(whole == single, "seed \(seed)")
      let some = read(example.cuts)
      #expect(whole == some, "seed \(seed), cuts \(example.cuts)")
      if whole != single || whole != some { return }
    }
  }

  @Test(arguments: [WireSide.request, .response])
  func anyBytesAreReadOrRefused(_ side: WireSide) {
    let memory = GuardedMemory()
    var generator = SeededGenerator(seed: 99)
    var faults: Set<WireFault.Code> = []
    for _ in 0..<3_000 {
      let alphabet = generator.pick([
        Array("GET / HTTP/1.1\r\n: a0;\"\\".utf8), Array(UInt8(0)...255), Array("\r\n".utf8),
      ])
      var bytes = (0..<generator.int(0...200)).map { _ in generator.pick(alphabet) }
      if generator.chance(0.5) {
        let start = side == .request ? "GET / HTTP/1.1\r\nHost: a\r\n" : "HTTP/1.1 200 OK\r\n"
        let chunked = "Transfer-Encoding: chunked\r\n\r\n"
        bytes = Array((start + (generator.chance(0.5) ? chunked : "")).utf8) + bytes
      }
      let transcript = TranscriptReader.read(side, bytes, memory: memory)
      if let fault = transcript.fault { faults.insert(fault) }
    }
    #expect(faults.count >= 8, "the bytes met only \(faults)")
  }

  @Test func aSlowTrickleCostsNoMoreThanItsBytes() throws {
    // 8 KiB head, a byte at a time: with a rescan from the start it would be 32 million bytes.
    let line = "X-Filler: " + String(repeating: "a", count: 90) + "\r\n"
    let text = "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: line, count: 80) + "\r\n"
    let bytes = Array(text.utf8)
    var progress = HeadProgress()
    let clock = ContinuousClock()
    let whole = try clock.measure {
      for _ in 0..<20 { _ = try bytes.withUnsafeBytes { try RequestHead.parse($0) } }
    }
    let trickled = try clock.measure {
      try bytes.withUnsafeBytes { raw in
        for count in 1...raw.count {
          let prefix = UnsafeRawBufferPointer(rebasing: raw[..<count])
          let head = try RequestHead.parse(prefix, limits: HeadLimits(), progress: &progress)
          #expect((head != nil) == (count == raw.count))
        }
      }
    }
    // A rescan costs thousands of whole reads; a resumed one about one, plus the calls.
    #expect(trickled < whole / 20 * 400 + .milliseconds(500))
  }
}
