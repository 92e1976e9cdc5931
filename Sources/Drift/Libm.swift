// The few functions of the C mathematics library that Drift needs, behind names of its own.
//
// Why: the core imports no Foundation, and the C library has another name on every platform;
// here is the one place that knows.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Natural logarithm.
func ln(_ x: Double) -> Double { log(x) }

/// ln(1 + x), exact also where x is tiny.
func ln1p(_ x: Double) -> Double { log1p(x) }

/// e to the power x.
func exponential(_ x: Double) -> Double { exp(x) }
