// Making an app's key: random, recognisable, and stored only as its hash.

import Crypto

/// A fresh key and what is kept of it.
struct VirtualKey {
  /// Shown once: `lw_` and 43 characters that carry 256 random bits.
  var secret: String

  static func make() -> VirtualKey {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    // The system's generator draws from the kernel. 43 × log2(62) is 256 bits.
    var generator = SystemRandomNumberGenerator()
    let letters = (0..<43).map { _ in
      alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
    }
    return VirtualKey(secret: "lw_" + String(letters))
  }

  /// The key's SHA-256 in lower-case hexadecimal.
  var hashHex: String {
    SHA256.hash(data: Array(secret.utf8)).map { byte in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }.joined()
  }

  /// The last characters, to tell keys apart by.
  var hint: String { String(secret.suffix(4)) }
}
