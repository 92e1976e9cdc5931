// Calls to the admin port that change something, and how they are known to be ours.
//
// A signature over time, method, path and body with a secret that both sides hold: it goes over a
// plain connection without the secret, a browser cannot be led to make one, and none works twice.

import Crypto
import Synchronization

/// Checks signatures, and remembers those that may not come again.
final class SignedCalls: Sendable {
  /// A signature is good so many seconds before and after its time.
  static let lifetimeSeconds: Int64 = 60

  enum Fault: Equatable {
    case malformed
    case outOfTime
    case wrong
    case repeated

    var message: String {
      switch self {
      case .malformed:
        "Sign the call: x-leeway-time has the seconds since 1970, x-leeway-signature the "
          + "HMAC-SHA-256 in hex of time, method, path and body, with line feeds between them."
      case .outOfTime:
        "The call's time is more than \(SignedCalls.lifetimeSeconds) s away from this machine's."
      case .wrong: "The signature is not of this call, or not made with this gateway's secret."
      case .repeated: "This very call was made before; sign it anew."
      }
    }
  }

  private let key: SymmetricKey
  /// Signatures that were taken, and the time of each.
  private let taken = Mutex<[[UInt8]: Int64]>([:])

  init(secret: String) { key = SymmetricKey(data: Array(secret.utf8)) }

  /// - Parameter now: seconds since 1970.
  /// - Returns: nil where the call is to be obeyed; it never is again.
  func fault(
    time: String?, signature: String?, method: String, path: String, body: [UInt8], now: Int64
  ) -> Fault? {
    guard let time, let seconds = Int64(time), let signature = signature.flatMap(Self.bytes(hex:))
    else { return .malformed }
    guard (now - Self.lifetimeSeconds...now + Self.lifetimeSeconds).contains(seconds) else {
      return .outOfTime
    }
    let message = Array("\(time)\n\(method)\n\(path)\n".utf8) + body
    // The comparison takes as long wherever the bytes differ.
    guard
      HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: message, using: key)
    else { return .wrong }
    return taken.withLock { taken in
      taken = taken.filter { $0.value >= now - Self.lifetimeSeconds }
      return taken.updateValue(seconds, forKey: signature) == nil ? nil : .repeated
    }
  }

  private static func bytes(hex: String) -> [UInt8]? {
    let text = Array(hex.utf8)
    guard text.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: 64, by: 2) {
      let pair = String(decoding: text[start..<start + 2], as: UTF8.self)
      guard let byte = UInt8(pair, radix: 16), pair.first != "+" else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
