// Makes connections that are nearly HTTP/1.1: a grammar with its known abuses, then loose bytes.
// Random bytes alone would be refused in the first line and test nothing behind it.

import TestSupport
import Wire

struct WireGrammar {
  var generator: SeededGenerator
  /// The chance that one choice is an abuse; changes from case to case, and from heads to chunks:
  /// else few of the abused chunks would come behind a head that is accepted.
  private var abuse = 0.0
  private var chunkAbuse = 0.0
  /// Some messages are far longer than the rest: long values, many fields and chunks.
  private(set) var isLong = false

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// The bytes of one connection's side, and the methods of the requests it answers.
  mutating func connection(_ side: WireSide) -> (bytes: [UInt8], methods: [RequestMethod]) {
    abuse = generator.pick(Self.abuses)
    chunkAbuse = generator.pick(Self.abuses)
    isLong = generator.chance(0.01)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512)
    var methods: [RequestMethod] = []
    for _ in 0..<generator.pick(Self.messageCounts) {
      if side == .request {
        addRequest(to: &bytes)
      } else {
        let method = generator.pick(Self.methods)
        while generator.chance(0.12) { add(Vocabulary.interim, to: &bytes) }
        addAnswer(to: &bytes, method)
        methods.append(method)
      }
    }
    if generator.chance(0.2) { mutate(&bytes) }
    if generator.chance(0.1) { bytes.removeLast(generator.int(0...bytes.count)) }
    // One method more than answers: an answer that the last byte hid must not be unasked for.
    methods.append(.get)
    return (bytes, methods)
  }

  /// A few places to cut the bytes, in ascending order; now and then all there are.
  mutating func cuts(_ count: Int) -> [Int] {
    guard count > 1, generator.chance(0.6) else { return [] }
    if count < 400, generator.chance(0.04) { return Array(1..<count) }
    return (0..<generator.int(1...6)).map { _ in generator.int(1...count - 1) }.sorted()
  }

  /// The usual limits, or some that a short message already meets.
  mutating func limits() -> HeadLimits {
    guard !isLong, generator.chance(0.08) else { return HeadLimits() }
    var limits = HeadLimits()
    switch generator.int(0...5) {
    case 0: limits.headBytesMax = generator.int(16...300)
    case 1: limits.fieldCountMax = generator.int(1...5)
    case 2: limits.targetBytesMax = generator.int(1...20)
    case 3: limits.chunkBytesMax = generator.int(1...30)
    case 4: limits.extensionBytesMax = generator.int(0...12)
    default: limits.trailerBytesMax = generator.int(2...20)
    }
    return limits
  }

  private static let abuses = [0, 0, 0.01, 0.03, 0.1]
  private static let messageCounts = [1, 1, 1, 2, 3]
  private static let methods = [RequestMethod.get, .post, .post, .head]

  mutating func isAbuse() -> Bool { generator.chance(abuse) }

  /// Lets the chance of the chunks hold for a while.
  mutating func withChunkAbuse(_ body: (inout WireGrammar) -> Void) {
    swap(&abuse, &chunkAbuse)
    body(&self)
    swap(&abuse, &chunkAbuse)
  }

  mutating func choose(_ choice: Choice) -> String {
    isAbuse() ? generator.pick(choice.bad) : generator.pick(choice.good)
  }

  mutating func add(_ choice: Choice, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: choose(choice).utf8)
  }

  private mutating func addRequest(to bytes: inout [UInt8]) {
    if generator.chance(0.03) {
      bytes.append(contentsOf: "\r\n".utf8)
    } else {
      add(Vocabulary.beforeRequest, to: &bytes)
    }
    var method = choose(Vocabulary.method)
    var target = choose(Vocabulary.target)
    if generator.chance(0.01) {
      method = "OPTIONS"
      target = "*"
    }
    if isLong, generator.chance(0.3) {
      target += String(repeating: "/a", count: generator.int(200...4_200))
    }
    bytes.append(contentsOf: method.utf8)
    add(Vocabulary.space, to: &bytes)
    bytes.append(contentsOf: target.utf8)
    add(Vocabulary.space, to: &bytes)
    let version = choose(Vocabulary.version)
    bytes.append(contentsOf: version.utf8)
    add(Vocabulary.lineEnd, to: &bytes)
    // Chunks are for 1.1; a 1.0 that has them is an abuse.
    let framing = framing(allowsChunks: version != "HTTP/1.0" || isAbuse())
    addLines([choose(Vocabulary.host)] + framing.lines + fields(), to: &bytes)
    bytes += framing.body
  }

  private mutating func addAnswer(to bytes: inout [UInt8], _ method: RequestMethod) {
    let version = choose(Vocabulary.answerVersion)
    bytes.append(contentsOf: version.utf8)
    add(Vocabulary.space, to: &bytes)
    var status = choose(Vocabulary.status)
    let kind = generator.int(0...19)
    if kind == 0 { status = "204 No Content" }
    if kind == 1 { status = "304 Not Modified" }
    bytes.append(contentsOf: status.utf8)
    add(Vocabulary.lineEnd, to: &bytes)
    var framing = framing(allowsChunks: version != "HTTP/1.0" || isAbuse())
    if method == .head || kind < 2, !isAbuse() { framing.body = [] }
    if kind == 0, !isAbuse() { framing.lines = [] }
    addLines(framing.lines + fields(), to: &bytes)
    bytes += framing.body
  }

  /// Field lines in any order, and the empty line.
  private mutating func addLines(_ lines: [String], to bytes: inout [UInt8]) {
    for line in lines.shuffled(using: &generator) {
      bytes.append(contentsOf: line.utf8)
      add(Vocabulary.lineEnd, to: &bytes)
    }
    add(Vocabulary.headEnd, to: &bytes)
  }

  private mutating func fields() -> [String] {
    var count = generator.int(0...5)
    if isLong, generator.chance(0.3) { count = generator.int(30...140) }
    var lines: [String] = []
    lines.reserveCapacity(count + 1)
    for _ in 0..<count {
      var line = choose(Vocabulary.fieldName)
      line += ":"
      line += choose(Vocabulary.beforeValue)
      line += choose(Vocabulary.fieldValue)
      line += choose(Vocabulary.afterValue)
      lines.append(line)
    }
    if isLong, generator.chance(0.4) {
      lines.append("X-Long: " + String(repeating: "0123456a", count: generator.int(400...4_300)))
    }
    if generator.chance(0.25) { lines.append(choose(Vocabulary.connection)) }
    return lines
  }
}
