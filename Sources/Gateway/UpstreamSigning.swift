// How requests to an upstream at AWS are signed, and with whose keys.
//
// The keys may be of a session that ends within the hour: whoever has new ones puts them in place
// of the old while calls go on.

import Metering
import Synchronization

/// Our keys at AWS. They print as dots.
public struct AWSCredentials: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  public let accessKey: String
  public let secretKey: String
  /// Nil for keys that do not end.
  public let sessionToken: String?

  /// Nil where a part is empty, or holds what no header field or scope of a signature can carry.
  public init?(accessKey: String, secretKey: String, sessionToken: String? = nil) {
    let parts = [accessKey, secretKey] + (sessionToken.map { [$0] } ?? [])
    let areFit = parts.allSatisfy { part in
      !part.isEmpty && part.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    }
    guard areFit, !accessKey.contains(where: { "/,".contains($0) }) else { return nil }
    self.accessKey = accessKey
    self.secretKey = secretKey
    self.sessionToken = sessionToken
  }

  public var description: String { "•••" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The place of an upstream's keys, which outlives each of them.
public final class AWSCredentialStore: Sendable {
  private let credentials: Mutex<AWSCredentials>

  public init(_ credentials: AWSCredentials) { self.credentials = Mutex(credentials) }

  /// The keys for the next signature.
  public var current: AWSCredentials {
    get { credentials.withLock { $0 } }
    set { credentials.withLock { $0 = newValue } }
  }
}

/// Signs an upstream's requests.
public struct UpstreamSigning: Sendable {
  let algorithm: SigV4
  /// The keys that the next request is signed with.
  public let credentials: AWSCredentialStore

  /// - Parameters:
  ///   - region: as in `us-east-1`.
  ///   - service: the name that the service signs under.
  public init(region: String, service: String = "bedrock", credentials: AWSCredentialStore) {
    algorithm = SigV4(region: region, service: service)
    self.credentials = credentials
  }

  /// The lines that make a request signed.
  ///
  /// Signed are the host, the type of the body, all that begins with `x-amz`, and the body; a field
  /// that a proxy on the way may change is not.
  /// - Parameters:
  ///   - target: the request's target as it is sent.
  ///   - fieldLines: the lines of its head as they are sent, `host` among them.
  func lines(
    method: StaticString, target: [UInt8], fieldLines: [UInt8], body: SigV4.BodyHash,
    at now: Timestamp
  ) -> [UInt8] {
    let credentials = credentials.current
    let stamp = SigV4.Stamp(now)
    var own = Array("x-amz-date: \(stamp.text)\r\n".utf8)
    if let token = credentials.sessionToken {
      own += Array("x-amz-security-token: \(token)\r\n".utf8)
    }
    let question = target.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
    let request = SigV4.Request(
      method: Array(UnsafeBufferPointer(start: method.utf8Start, count: method.utf8CodeUnitCount)),
      path: Array(target[..<question]),
      query: Array(target[min(question + 1, target.endIndex)...]),
      fields: Self.signed(fieldLines + own), body: body)
    let value = algorithm.authorization(of: request, by: credentials, at: stamp)
    return own + Array("authorization: ".utf8) + value + Array("\r\n".utf8)
  }

  /// The fields of these lines that are signed.
  private static func signed(_ lines: [UInt8]) -> [SigV4.Field] {
    lines.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
      let name = line[..<colon].map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
      guard
        name.starts(with: "x-amz".utf8) || name.elementsEqual("host".utf8)
          || name.elementsEqual("content-type".utf8)
      else { return nil }
      var value = line[(colon + 1)...]
      if value.last == UInt8(ascii: "\r") { value.removeLast() }
      return SigV4.Field(name: name, value: Array(value))
    }
  }
}
