// How the rehearsal upstream behaves. All misbehaviour is drawn from a seed and the number of the
// request, so that a rehearsal can be repeated.

/// Settings of a rehearsal upstream.
public struct RehearsalConfiguration: Sendable {
  /// Which recorded answer a request gets.
  public enum Selection: Sendable, Equatable {
    /// By a hash of the request's body: the same question, the same answer.
    case byRequest
    /// The answers in turn.
    case inTurn
    /// Always the answer of this name.
    case named(String)
  }

  /// The folder with a folder of recorded answers for each dialect (samples/recorded).
  public var directory: String
  public var host = "127.0.0.1"
  /// 0: the system picks a free port.
  public var port = 0
  /// Event loop threads, where no group is given.
  public var threads = 1
  public var selection = Selection.byRequest
  /// Milliseconds before the first byte of an answer.
  public var latencyMilliseconds: Int64 = 0
  /// Milliseconds between the events of a stream; 0: no pause.
  public var paceMilliseconds: Int64 = 0
  /// Without a pace: each event in a write of its own rather than the whole stream in one.
  public var writesEachEvent = false
  /// The part of requests that get an error of the provider's own shape (429 and 500 in turn), 0…1.
  public var errorRate = 0.0
  /// The part of answers that break off half-way by a closed connection, 0…1.
  public var cutOffRate = 0.0
  public var seed: UInt64 = 1
  /// Requests kept for `RehearsalServer.requests`; the oldest go first. 0: none.
  public var recordedRequestsMax = 0
  /// A request with a longer body is refused with 413.
  public var bodyBytesMax = 64 << 20

  /// - Parameter directory: the folder of recorded answers.
  public init(directory: String) { self.directory = directory }

  /// - Throws: the first setting that is out of its range.
  func validate() throws(RehearsalFault) {
    func check(_ holds: Bool, _ name: String, _ range: String) throws(RehearsalFault) {
      if holds { return }
      throw RehearsalFault(
        .settingInvalid, "the rehearsal's \(name) is out of range", hint: "set it to \(range)")
    }
    try check((0...65_535).contains(port), "port", "0 … 65535")
    try check((1...256).contains(threads), "thread count", "1 … 256")
    try check((0...600_000).contains(latencyMilliseconds), "latency", "0 … 600000 ms")
    try check((0...600_000).contains(paceMilliseconds), "pace", "0 … 600000 ms")
    try check((0...1).contains(errorRate), "error rate", "0 … 1")
    try check((0...1).contains(cutOffRate), "cut-off rate", "0 … 1")
    try check(recordedRequestsMax >= 0, "count of kept requests", "0 or more")
    try check((0...1 << 30).contains(bodyBytesMax), "body bound", "0 … 1073741824 bytes")
  }
}

/// Numbers drawn from a seed and a count.
enum Dice {
  /// A fraction in 0 ..< 1 (splitmix64). - Parameter salt: tells draws for one count apart.
  static func fraction(seed: UInt64, count: UInt64, salt: UInt64) -> Double {
    var mixed = seed &+ (count &* 4 &+ salt) &* 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53
  }

  /// FNV-1a over the bytes.
  static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }
}
