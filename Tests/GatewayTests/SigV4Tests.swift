// Signature Version 4: AWS's published cases, and botocore's signer on requests made at random.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct SigV4Tests {
  /// A case of AWS's test suite of the algorithm: its name there, a request and the signature.
  struct Vector: CustomTestStringConvertible {
    var name: String
    var method = "GET"
    var target = "/"
    var fields: [(String, String)] = []
    var body = ""
    var token: String?
    var signature: String

    var testDescription: String { name }
  }

  private static let token =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSP"
    + "fIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT"
    + "7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlz"
    + "m8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
  private static let unreserved =
    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

  static let vectors: [Vector] = [
    Vector(
      name: "get-vanilla",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "get-vanilla-query-order-key-case", target: "/?Param2=value2&Param1=value1",
      signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    Vector(
      name: "get-vanilla-query-order-key", target: "/?Param1=value2&Param1=Value1",
      signature: "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"),
    Vector(
      name: "get-vanilla-query-order-value", target: "/?Param1=value2&Param1=value1",
      signature: "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"),
    Vector(
      name: "get-vanilla-query-unreserved", target: "/?\(unreserved)=\(unreserved)",
      signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
    Vector(
      name: "get-utf8", target: "/\u{1234}",
      signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    Vector(
      name: "get-vanilla-utf8-query", target: "/?\u{1234}=bar",
      signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
    Vector(
      name: "get-space", target: "/example space/",
      signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
    Vector(
      name: "get-slashes", target: "//example//",
      signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
    Vector(
      name: "get-relative-relative", target: "/example1/example2/../..",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "get-header-value-trim",
      fields: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
      signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    Vector(
      name: "get-header-key-duplicate",
      fields: [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
      signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
    Vector(
      name: "post-vanilla", method: "POST",
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    Vector(
      name: "post-header-value-case", method: "POST", fields: [("My-Header1", "VALUE1")],
      signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
    Vector(
      name: "post-x-www-form-urlencoded", method: "POST",
      fields: [("Content-Type", "application/x-www-form-urlencoded")], body: "Param1=value1",
      signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    Vector(
      name: "post-sts-header-before", method: "POST", token: token,
      signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
  ]

  /// 2015-08-30 12:36:00 UTC.
  private static let vectorTime = Timestamp(milliseconds: 1_440_938_160_000)
  private static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

  @Test(arguments: vectors)
  func signsAsAWSPublished(vector: Vector) throws {
    let credentials = try #require(
      AWSCredentials(accessKey: "AKIDEXAMPLE", secretKey: Self.secret, sessionToken: vector.token))
    var fields =
      vector.fields + [
        ("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z"),
      ]
    if let token = vector.token { fields.append(("X-Amz-Security-Token", token)) }
    let stamp = SigV4.Stamp(Self.vectorTime)
    #expect(stamp.text == "20150830T123600Z")
    let value = SigV4(region: "us-east-1", service: "service").authorization(
      of: Self.request(vector.method, vector.target, fields, Array(vector.body.utf8)),
      by: credentials, at: stamp)
    let names = Set(fields.map { $0.0.lowercased() }).sorted().joined(separator: ";")
    #expect(
      String(decoding: value, as: UTF8.self)
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        + "SignedHeaders=\(names), Signature=\(vector.signature)")
  }

  static func request(
    _ method: String, _ target: String, _ fields: [(String, String)], _ body: [UInt8]
  ) -> SigV4.Request {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var hash = SigV4.BodyHash()
    body.withUnsafeBytes { hash.add($0) }
    return SigV4.Request(
      method: Array(method.utf8), path: Array(parts[0].utf8),
      query: parts.count > 1 ? Array(parts[1].utf8) : [],
      fields: fields.map { SigV4.Field(name: Array($0.0.utf8), value: Array($0.1.utf8)) },
      body: hash)
  }

  /// The texts before the signature, for a model whose name has a colon: the escape is escaped.
  @Test func anEscapedColonIsEscapedOnceMore() {
    let signer = SigV4(region: "eu-west-1", service: "bedrock")
    let request = Self.request(
      "POST", "/model/eu.anthropic.claude-x-v1%3A0/invoke", [("host", "h"), ("x-amz-date", "d")],
      [])
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    #expect(
      String(decoding: signer.canonicalRequest(request), as: UTF8.self)
        == "POST\n/model/eu.anthropic.claude-x-v1%253A0/invoke\n\nhost:h\nx-amz-date:d\n\n"
        + "host;x-amz-date\n\(empty)")
    let text = signer.stringToSign([], at: SigV4.Stamp(Self.vectorTime))
    #expect(
      String(decoding: text, as: UTF8.self)
        == "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/eu-west-1/bedrock/aws4_request\n\(empty)")
  }

  @Test(arguments: [
    ("", ""), ("b=2&a=1", "a=1&b=2"), ("a", "a="), ("a=&&=x", "=x&a="), ("a=1%2b", "a=1%2B"),
    ("a=1+2:3", "a=1%2B2%3A3"), ("%61=%7E", "a=~"), ("a=%zz%4", "a=%25zz%254"),
    ("a=b=c", "a=b%3Dc"), ("ab=1&a=2&a%2D=3", "a=2&a-=3&ab=1"),
  ])
  func aQueryHasOneForm(sent: String, wanted: String) {
    let query = SigV4.canonicalQuery(Array(sent.utf8))
    #expect(String(decoding: query, as: UTF8.self) == wanted)
  }

  @Test(arguments: [
    ("", "/"), ("/", "/"), ("/.", "/"), ("/..", "/"), ("/a/./b//c/../d", "/a/b/d"),
    ("/a/", "/a/"), ("/a%2Fb", "/a%252Fb"), ("/...", "/..."),
  ])
  func aPathHasOneForm(sent: String, wanted: String) {
    let path = SigV4.canonicalPath(Array(sent.utf8))
    #expect(String(decoding: path, as: UTF8.self) == wanted)
  }

  @Test func keysAreOnesThatASignatureCanName() {
    #expect(AWSCredentials(accessKey: "AKID", secretKey: "s", sessionToken: "t") != nil)
    for (access, secret, token) in [
      ("", "s", nil), ("A", "", nil), ("A", "s", ""), ("A/B", "s", nil), ("A,B", "s", nil),
      ("A\r", "s", nil), ("A", "s t", nil), ("A", "s", "t\n"),
    ] as [(String, String, String?)] {
      #expect(AWSCredentials(accessKey: access, secretKey: secret, sessionToken: token) == nil)
    }
    let shown = AWSCredentials(accessKey: "AKID", secretKey: "hidden").map { "\($0)" } ?? ""
    var dumped = ""
    dump(AWSCredentials(accessKey: "AKID", secretKey: "hidden"), to: &dumped)
    #expect(shown == "•••" && !dumped.contains("hidden") && !dumped.contains("AKID"))
  }

  // MARK: - Against botocore

  private struct Case: Encodable {
    var stamp: String
    var method: String
    var url: String
    var body: String
    var fields: [[String]]
    var access: String
    var secret: String
    var token: String?
    var service = "bedrock"
    var region: String
  }

  /// Random requests in the form in which SDKs send them.
  private static func cases() throws -> (cases: [Case], ours: [String]) {
    var random = SeededGenerator(seed: 20_261_127)
    func text(_ letters: String, _ counts: ClosedRange<Int>) -> String {
      let letters = Array(letters)
      return String(
        (0..<random.int(counts)).map { _ in letters[random.int(0...letters.count - 1)] })
    }
    var (cases, ours): ([Case], [String]) = ([], [])
    for number in 0..<400 {
      let when = Timestamp(milliseconds: random.int(Int64(0)...4_000_000_000_000))
      let stamp = SigV4.Stamp(when)
      let allowed: CharacterSet = number % 2 == 0 ? .alphanumerics : .urlPathAllowed
      let path = try (0..<random.int(0...4)).map { _ in
        let segment = text("aZ09-._~:;,=@!$&'()*+ ", 0...12)
        return try "/" + #require(segment.addingPercentEncoding(withAllowedCharacters: allowed))
      }.joined()
      let parameters = (0..<random.int(0...4)).map { _ in
        text("aB9-._~", 1...6) + "=" + text("xY0-._~", 0...6)
      }.joined(separator: "&")
      let target = (path.isEmpty ? "/" : path) + (parameters.isEmpty ? "" : "?" + parameters)
      let body = (0..<random.int(0...300)).map { _ in UInt8(random.int(0...255)) }
      let token = number % 3 == 0 ? text("abc/+=", 1...40) : nil
      let host = text("abc", 1...9) + ".example:8443"
      var fields = [("Host", host), ("Content-Type", "application/json")]
      for _ in 0..<random.int(0...3) {
        fields.append(("X-Amzn-\(text("ab", 1...2))", text("v w\t", 1...12) + "."))
      }
      let access = text("AKID0", 4...20)
      let secret = text("abc/+9", 1...40)
      let region = text("eu-", 3...9)
      cases.append(
        Case(
          stamp: stamp.text, method: "POST", url: "http://\(host)\(target)",
          body: Data(body).base64EncodedString(), fields: fields.map { [$0.0, $0.1] },
          access: access, secret: secret, token: token, region: region))
      fields.append(("x-amz-date", stamp.text))
      if let token { fields.append(("x-amz-security-token", token)) }
      let credentials = try #require(
        AWSCredentials(accessKey: access, secretKey: secret, sessionToken: token))
      let value = SigV4(region: region, service: "bedrock").authorization(
        of: request("POST", target, fields, body), by: credentials, at: stamp)
      ours.append(String(decoding: value, as: UTF8.self))
    }
    return (cases, ours)
  }

  @Test(.enabled(if: BotocorePeer.isThere, BotocorePeer.absence))
  func signsAsBotocoreDoes() throws {
    let (cases, ours) = try Self.cases()
    let theirs = try BotocorePeer.authorizations(of: JSONEncoder().encode(cases))
    #expect(theirs.count == ours.count)
    for (index, value) in theirs.enumerated() where value != ours[index] {
      Issue.record("\(cases[index]): \(ours[index])")
    }
  }
}

/// botocore's own signer, where the peers have it.
enum BotocorePeer {
  static let absence = Comment(rawValue: Command.peersAbsence)

  static let isThere: Bool = {
    guard let python = Command.peersPython else { return false }
    return (try? Command.run(python, ["-c", "import botocore.auth"]).status) == 0
  }()

  /// - Parameter cases: a JSON list; see Peers/sigv4.py.
  static func authorizations(of cases: Data) throws -> [String] {
    let directory = try TemporaryDirectory()
    let file = directory.path("cases.json")
    try cases.write(to: URL(filePath: file))
    let script = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Peers/sigv4.py").path
    let python = try #require(Command.peersPython)
    let ending = try Command.run(python, [script, file])
    #expect(ending.status == 0, "\(ending.said)")
    return try JSONDecoder().decode([String].self, from: Data(ending.said.utf8))
  }
}
