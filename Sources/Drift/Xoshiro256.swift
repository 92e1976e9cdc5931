// The generator behind simulated p-values. Our own, so that a report has the same bytes on every
// platform and with every version of the standard library.
//
// Source: D. Blackman and S. Vigna, Scrambled linear pseudorandom number generators (2018):
// xoshiro256** with a state filled by splitmix64.

/// xoshiro256**; not for secrets.
public struct Xoshiro256: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  public init(seed: UInt64) {
    var filler = seed
    func fill() -> UInt64 {
      filler &+= 0x9E37_79B9_7F4A_7C15
      var mixed = (filler ^ (filler >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
    state = (fill(), fill(), fill(), fill())
  }

  public mutating func next() -> UInt64 {
    let product = state.1 &* 5
    let result = ((product << 7) | (product >> 57)) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = (state.3 << 45) | (state.3 >> 19)
    return result
  }

  /// Uniform in the open interval (0, 1).
  public mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }
}
