// ln Γ(x). Our own, because the C library's `lgamma` writes a global variable and differs in its
// last digits between platforms, and reports must come out the same everywhere.
//
// Kind: special function. Formula: Stirling's series with recurrence; Taylor series about 1 and 2,
// where ln Γ is 0 and Stirling would lose its relative accuracy.
// Source: NIST Digital Library of Mathematical Functions 5.7.3 and 5.11.1.

/// ln Γ(x) for x > 0, to about 1e-14 relative; +∞ at 0, NaN below.
func logGamma(_ x: Double) -> Double {
  guard x > 0 else { return x == 0 ? .infinity : .nan }
  if abs(x - 1) <= 0.2 { return logGammaNearOne(x - 1) }
  if abs(x - 2) <= 0.2 { return ln1p(x - 2) + logGammaNearOne(x - 2) }
  return (x - 0.5) * ln(x) - x + halfLnTwoPi + stirlingError(x)
}

/// ln Γ(1 + z) = −γz + Σ ζ(k)(−z)^k/k for |z| ≤ 0.2.
private func logGammaNearOne(_ z: Double) -> Double {
  let euler = 0.577_215_664_901_532_86
  var power = z * z
  var sum = -euler * z
  for (offset, excess) in zetaExcess.enumerated() {
    sum += (1 + excess) * power / Double(offset + 2)
    power *= -z
  }
  return sum
}

/// ζ(k) − 1 for k = 2 … 25.
private let zetaExcess: [Double] = [
  0.644_934_066_848_226_44, 0.202_056_903_159_594_29, 0.082_323_233_711_138_19,
  0.036_927_755_143_369_93, 0.017_343_061_984_449_14, 0.008_349_277_381_922_827,
  0.004_077_356_197_944_339, 0.002_008_392_826_082_214, 0.000_994_575_127_818_085_3,
  0.000_494_188_604_119_464_6, 0.000_246_086_553_308_048_3, 0.000_122_713_347_578_489_15,
  6.124_813_505_870_483e-05, 3.058_823_630_702_049e-05, 1.528_225_940_865_187e-05,
  7.637_197_637_899_762e-06, 3.817_293_264_999_84e-06, 1.908_212_716_553_939e-06,
  9.539_620_338_727_96e-07, 4.769_329_867_878_064e-07, 2.384_505_027_277_33e-07,
  1.192_199_259_653_11e-07, 5.960_818_905_125_948e-08, 2.980_350_351_465_228e-08,
]
