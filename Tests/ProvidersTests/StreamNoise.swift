// What may stand in an answer, and between its parts, without saying anything: put into a recording
// at random places, in every framing that a dialect has.

@testable import Providers

/// One thing to do to a recording; the numbers are taken modulo what there is.
struct Noise: CustomStringConvertible {
  var kind: Int
  var place: Int
  var detail: Int

  var description: String { "kind \(kind) at \(place), \(detail)" }
}

/// An answer with noise in it.
enum NoisyAnswer {
  /// - Parameter path: its ending tells the framing.
  static func bytes(of body: [UInt8], path: String, noise: [Noise]) -> [UInt8] {
    switch path.split(separator: ".").last {
    case "sse": events(body, noise)
    case "ndjson", "jsonl": lines(body, noise, takesGarbage: path.hasSuffix("l"))
    case "bin": frames(body, noise)
    default: spaced(body, noise)
    }
  }

  // MARK: Events

  private struct Event {
    var lines: [[UInt8]]
    var lineEnd: [UInt8]
  }

  /// Events that no dialect has a meaning for.
  private static let strangers: [[String]] = [
    [": keep-alive"], [":"], ["event: ping", #"data: {"type":"ping"}"#], ["retry: 3000"],
    ["data: not json {"], ["data:"], ["nonsense \u{7F}"], ["event: usage"],
    ["event: x.unknown", #"data: {"type":"x.unknown","note":["usage",{"input_tokens":9}]}"#],
  ]
  /// Lines that stand in an event beside its own.
  private static let neighbours = [": ping", "id: 7", "retry: 10", "x", "ids: 1", ":"]

  private static func events(_ body: [UInt8], _ noise: [Noise]) -> [UInt8] {
    var (events, tail) = split(body)
    for each in noise where !events.isEmpty {
      let index = each.place % events.count
      switch each.kind % 5 {
      case 0:
        let lines = strangers[each.detail % strangers.count].map { Array($0.utf8) }
        events.insert(Event(lines: lines, lineEnd: [0x0A]), at: index)
      case 1:
        let line = Array(neighbours[each.detail % neighbours.count].utf8)
        let place = each.detail % (events[index].lines.count + 1)
        events[index].lines.insert(line, at: place)
      case 2: events[index].lineEnd = [[0x0D], [0x0D, 0x0A], [0x0A]][each.detail % 3]
      case 3: breakData(of: &events[index], each.detail)
      default:
        // The space behind the colon is not part of the data.
        for line in events[index].lines.indices
        where events[index].lines[line].starts(with: "data: ".utf8) {
          events[index].lines[line].remove(at: 5)
        }
      }
    }
    return events.flatMap { event in (event.lines + [[]]).flatMap { $0 + event.lineEnd } } + tail
  }

  /// Whole events with the ends of their lines, and what stands behind the last.
  private static func split(_ body: [UInt8]) -> (events: [Event], tail: [UInt8]) {
    var events: [Event] = []
    var event = Event(lines: [], lineEnd: [0x0A])
    var start = 0
    var tailStart = 0
    while let end = body[start...].firstIndex(where: { $0 == 0x0A }) {
      let hasReturn = end > start && body[end - 1] == 0x0D
      let line = Array(body[start..<(hasReturn ? end - 1 : end)])
      start = end + 1
      if hasReturn { event.lineEnd = [0x0D, 0x0A] }
      if line.isEmpty {
        if !event.lines.isEmpty { events.append(event) }
        event = Event(lines: [], lineEnd: [0x0A])
        tailStart = start
      } else {
        event.lines.append(line)
      }
    }
    return (events, Array(body[tailStart...]))
  }

  /// Spreads a JSON document over two lines of data, between two of its parts.
  private static func breakData(of event: inout Event, _ detail: Int) {
    let index = event.lines.firstIndex {
      $0.starts(with: "data: {".utf8) || $0.starts(with: "data:{".utf8)
    }
    guard let index else { return }
    let line = event.lines[index]
    let places = gaps(in: line, from: line[5] == 0x20 ? 6 : 5)
    guard !places.isEmpty else { return }
    let place = places[detail % places.count]
    event.lines[index] = Array(line[..<place])
    event.lines.insert(Array("data: ".utf8) + line[place...], at: index + 1)
  }

  /// Where blanks may stand in JSON that begins at an offset: behind marks outside its strings.
  private static func gaps(in text: [UInt8], from start: Int) -> [Int] {
    var places: [Int] = []
    var (isInString, isEscaped) = (false, false)
    for index in text.indices.dropFirst(start) {
      let byte = text[index]
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
      } else if byte == UInt8(ascii: "\"") {
        isInString = true
      } else if "{[,:".utf8.contains(byte) {
        places.append(index + 1)
      }
    }
    return places
  }

  // MARK: Lines and documents

  private static let strangeLines = [
    #"{"type":"ping","usage":1}"#, "not json {", "[]", #"{"type":"response.done""#, "\u{7F}", "{}",
    #"{"type":"rate_limits.updated","rate_limits":[{"usage":{"input_tokens":3}}]}"#,
  ]

  private static func lines(
    _ body: [UInt8], _ noise: [Noise], takesGarbage: Bool
  ) -> [UInt8] {
    var lines = body.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    for each in noise {
      let index = each.place % lines.count
      switch each.kind % 4 {
      case 0: lines.insert(Array("  \t".utf8.prefix(each.detail % 4)), at: index)
      case 1: if index < lines.count - 1 { lines[index].append(0x0D) }
      case 2 where takesGarbage:
        lines.insert(Array(strangeLines[each.detail % strangeLines.count].utf8), at: index)
      default:
        let places = gaps(in: lines[index], from: 0)
        if !places.isEmpty { lines[index].insert(0x20, at: places[each.detail % places.count]) }
      }
    }
    return Array(lines.joined(separator: [0x0A]))
  }

  private static func spaced(_ body: [UInt8], _ noise: [Noise]) -> [UInt8] {
    var body = body
    for each in noise {
      let places = gaps(in: body, from: 0)
      if places.isEmpty { break }
      let blanks = Array(["\n", " ", "\r\n", "\t  "][each.detail % 4].utf8)
      body.insert(contentsOf: blanks, at: places[each.place % places.count])
    }
    return body
  }

  // MARK: Frames of AWS's event streams

  private static func frames(_ body: [UInt8], _ noise: [Noise]) -> [UInt8] {
    var frames: [[UInt8]] = []
    var rest = body[...]
    while rest.count >= 16 {
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      guard length >= 16, length <= rest.count else { break }
      frames.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    for each in noise {
      let payloads = [
        "{}", "", #"{"note":{"usage":{"inputTokens":7}}}"#, "not json", #"{"bytes":"!"}"#,
      ]
      let names = ["ping", "x-unknown", "initial-response"]
      let frame = frame(
        names[each.kind % names.count], payloads[each.detail % payloads.count])
      frames.insert(frame, at: each.place % (frames.count + 1))
    }
    return frames.flatMap { $0 } + rest
  }

  private static func frame(_ name: String, _ payload: String) -> [UInt8] {
    var headers: [UInt8] = []
    for (key, value) in [(":event-type", name), (":message-type", "event")] {
      headers.append(UInt8(key.utf8.count))
      headers += Array(key.utf8) + [7, 0, UInt8(value.utf8.count)]
      headers += Array(value.utf8)
    }
    func number(_ value: UInt32) -> [UInt8] {
      withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
    func checksum(_ bytes: [UInt8]) -> [UInt8] {
      var checksum = CRC32()
      bytes.withUnsafeBytes { checksum.add($0) }
      return number(checksum.value)
    }
    var frame = number(UInt32(headers.count + payload.utf8.count + 16))
    frame += number(UInt32(headers.count))
    frame += checksum(frame) + headers + payload.utf8
    return frame + checksum(frame)
  }
}
