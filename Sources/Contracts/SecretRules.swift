// How secrets look: keys by their prefixes, tokens by their shape, values by the name before them.
//
// A prefix alone is not enough: `sk-learn` is a word. What follows must be long and look drawn,
// with digits inside a long run of letters and digits, as random text is and prose is not.

/// Keys and tokens that announce themselves by a prefix.
enum PrefixRule {
  /// What follows the prefix.
  private struct Shape {
    var prefix: StaticString
    var kind: RedactionKind
    /// The fewest bytes behind the prefix.
    var least: Int
  }

  // A longer prefix stands before one that it begins with.
  private static let shapes: [Shape] = [
    Shape(prefix: "sk-ant-", kind: .anthropicKey, least: 16),
    Shape(prefix: "sk-", kind: .openAIKey, least: 20),
    Shape(prefix: "sess-", kind: .openAIKey, least: 32),
    Shape(prefix: "AIza", kind: .googleKey, least: 35),
    Shape(prefix: "AQ.", kind: .googleKey, least: 30),
    Shape(prefix: "ya29.", kind: .googleKey, least: 20),
    Shape(prefix: "GOCSPX-", kind: .googleKey, least: 20),
    Shape(prefix: "github_pat_", kind: .githubToken, least: 30),
    Shape(prefix: "ghp_", kind: .githubToken, least: 30),
    Shape(prefix: "gho_", kind: .githubToken, least: 30),
    Shape(prefix: "ghu_", kind: .githubToken, least: 30),
    Shape(prefix: "ghs_", kind: .githubToken, least: 30),
    Shape(prefix: "ghr_", kind: .githubToken, least: 30),
    Shape(prefix: "xoxb-", kind: .slackToken, least: 20),
    Shape(prefix: "xoxp-", kind: .slackToken, least: 20),
    Shape(prefix: "xoxa-", kind: .slackToken, least: 20),
    Shape(prefix: "xoxr-", kind: .slackToken, least: 20),
    Shape(prefix: "xoxs-", kind: .slackToken, least: 20),
    Shape(prefix: "xoxe-", kind: .slackToken, least: 20),
    Shape(prefix: "xapp-", kind: .slackToken, least: 20),
    Shape(prefix: "sk_live_", kind: .stripeKey, least: 16),
    Shape(prefix: "sk_test_", kind: .stripeKey, least: 16),
    Shape(prefix: "rk_live_", kind: .stripeKey, least: 16),
    Shape(prefix: "rk_test_", kind: .stripeKey, least: 16),
    Shape(prefix: "whsec_", kind: .stripeKey, least: 16),
    Shape(prefix: "lw_", kind: .leewayKey, least: 16),
    Shape(prefix: "glpat-", kind: .apiKey, least: 20),
    Shape(prefix: "hf_", kind: .apiKey, least: 30),
    Shape(prefix: "gsk_", kind: .apiKey, least: 40),
    Shape(prefix: "xai-", kind: .apiKey, least: 40),
    Shape(prefix: "pplx-", kind: .apiKey, least: 40),
    Shape(prefix: "nvapi-", kind: .apiKey, least: 40),
    Shape(prefix: "r8_", kind: .apiKey, least: 36),
    Shape(prefix: "npm_", kind: .apiKey, least: 36),
    Shape(prefix: "pypi-", kind: .apiKey, least: 50),
    Shape(prefix: "dop_v1_", kind: .apiKey, least: 40),
    Shape(prefix: "SG.", kind: .apiKey, least: 40),
  ]

  /// What a key or token begins with.
  static var texts: [StaticString] { shapes.map(\.prefix) + ["eyJ", "AKIA", "ASIA"] }

  /// For each first byte, whether any shape begins with it: most words are passed at once.
  private static let firstBytes: [Bool] = {
    var table = [Bool](repeating: false, count: 256)
    for shape in shapes { table[Int(shape.prefix.utf8Start[0])] = true }
    return table
  }()

  static func find(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Finding? {
    if let token = jsonWebToken(bytes, at: start) ?? awsKey(bytes, at: start) { return token }
    guard firstBytes[Int(bytes[start])] else { return nil }
    for shape in shapes where bytes.has(shape.prefix, at: start) {
      let first = start + shape.prefix.utf8CodeUnitCount
      // Two of the kinds have dots inside; they join parts as long as the rest.
      let hasDots = shape.kind == .googleKey || shape.prefix.utf8Start[0] == UInt8(ascii: "S")
      let found = valueEnd(bytes, from: first, least: shape.least) {
        $0.isTokenPart || hasDots && $0 == UInt8(ascii: ".")
      }
      guard var end = found else { continue }
      while end > first, bytes[end - 1] == UInt8(ascii: ".") { end -= 1 }
      return Finding(range: start..<end, kind: shape.kind)
    }
    return nil
  }

  /// How far behind its beginning a value is judged. It bounds the work where values that are no
  /// secret overlap (`sk-sk-sk-…`); one that is accepted is taken to its end.
  static let judgedMax = 512

  /// The end of a value from `start`, where it is long enough and looks random: a run of at least
  /// ten letters and digits in it holds a digit and a letter.
  ///
  /// - Parameter isNamed: a name before the value says what it is; a digit and a letter anywhere
  ///   in it are enough.
  static func valueEnd(
    _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, least: Int, isNamed: Bool = false,
    _ isPart: (UInt8) -> Bool
  ) -> Int? {
    let judged = bytes.run(from: start, limit: judgedMax, isPart)
    guard judged - start >= least else { return nil }
    let value = bytes[start..<judged]
    let isSecret =
      isNamed
      ? value.contains { $0.isDigit } && value.contains { $0.isLetter }
      : looksRandom(bytes, start..<judged)
    return isSecret ? bytes.run(from: judged, isPart) : nil
  }

  private static func looksRandom(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) -> Bool {
    var (length, digits, letters) = (0, 0, 0)
    for index in range {
      let byte = bytes[index]
      if byte.isAlphanumeric {
        length += 1
        if byte.isDigit { digits += 1 } else { letters += 1 }
        if length >= 10, digits >= 1, letters >= 1 { return true }
      } else {
        (length, digits, letters) = (0, 0, 0)
      }
    }
    return false
  }

  /// `AKIA` or `ASIA` and sixteen capitals or digits.
  private static func awsKey(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Finding? {
    guard bytes.has("AKIA", at: start) || bytes.has("ASIA", at: start) else { return nil }
    let end = bytes.run(from: start + 4, limit: 17) { $0.isUppercase || $0.isDigit }
    guard end == start + 20, end == bytes.count || !bytes[end].isAlphanumeric else { return nil }
    return Finding(range: start..<end, kind: .awsKey)
  }

  /// The longest header of a web token, in base64.
  private static let headerMax = 1024

  /// Base64url parts joined by dots, the first a JSON object: `eyJ….….…`.
  private static func jsonWebToken(
    _ bytes: UnsafeBufferPointer<UInt8>, at start: Int
  ) -> Finding? {
    guard bytes.has("eyJ", at: start) else { return nil }
    var end = bytes.run(from: start, limit: headerMax) { $0.isTokenPart }
    guard end - start >= 10, end < bytes.count, bytes[end] == UInt8(ascii: ".") else { return nil }
    let second = end + 1
    end = bytes.run(from: second) { $0.isTokenPart || $0 == UInt8(ascii: ".") }
    while end > second, bytes[end - 1] == UInt8(ascii: ".") { end -= 1 }
    guard end - second >= 10 else { return nil }
    return Finding(range: start..<end, kind: .jsonWebToken)
  }
}

/// Private keys in PEM, with line feeds or their JSON escapes, whole or cut off.
enum PrivateKeyRule {
  /// The longest label between `BEGIN` and `PRIVATE KEY`.
  private static let labelMax = 32
  /// A key has a run of base64 of this length; a mention of one has words.
  private static let least = 24
  /// Behind at most this many bytes (an encrypted key has headers). It bounds the work where
  /// beginnings are repeated.
  private static let judgedMax = 512

  static func find(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Finding? {
    guard bytes.has("-----BEGIN ", at: start) else { return nil }
    let label = start + 11
    let labelEnd = bytes.run(from: label, limit: labelMax) {
      $0.isUppercase || $0.isDigit || $0 == 0x20
    }
    let tail: StaticString = "PRIVATE KEY"
    let name = labelEnd - tail.utf8CodeUnitCount
    guard name >= label, bytes.has("-----", at: labelEnd) else { return nil }
    let isPGP = labelEnd - 17 >= label && bytes.has("PRIVATE KEY BLOCK", at: labelEnd - 17)
    guard isPGP || bytes.has(tail, at: name) else { return nil }
    let first = labelEnd + 5
    var index = first
    var length = 0
    while index < bytes.count {
      if length < least, index - first > judgedMax { return nil }
      if bytes.has("-----END ", at: index) {
        let end = bytes.run(from: index + 9, limit: labelMax) {
          $0.isUppercase || $0.isDigit || $0 == 0x20
        }
        index = bytes.has("-----", at: end) ? end + 5 : end
        break
      }
      let byte = bytes[index]
      if byte == UInt8(ascii: "\\") {
        guard index + 1 < bytes.count, "nrt".utf8.contains(bytes[index + 1]) else { break }
        index += 2
        if length < least { length = 0 }
      } else if byte.isBearerPart || byte.isSpace || byte == UInt8(ascii: ":")
        || byte == UInt8(ascii: ",")
      {
        let isBase64 = byte.isAlphanumeric || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
        if isBase64 { length += 1 } else if length < least { length = 0 }
        index += 1
      } else {
        break
      }
    }
    guard length >= least else { return nil }
    return Finding(range: start..<index, kind: .privateKey)
  }
}
