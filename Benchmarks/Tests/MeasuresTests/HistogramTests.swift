// The histogram keeps its promised error, and quantiles stand at the right rank.

import Measures
import Testing

@Suite struct HistogramTests {
  @Test func quantilesAreWithinOnePercent() {
    var histogram = Histogram()
    for value in 1...100_000 { histogram.record(UInt64(value) * 1_000) }
    for share in [0.01, 0.5, 0.9, 0.99, 0.999] {
      let exact = share * 100_000_000
      let found = Double(histogram.quantile(share))
      #expect(abs(found - exact) / exact < 0.01, "at \(share)")
    }
    #expect(histogram.quantile(1) == 100_000_000)
    #expect(histogram.count == 100_000)
  }

  @Test func smallValuesAreExact() {
    var histogram = Histogram()
    for value: UInt64 in [0, 1, 2, 126, 127, 128] { histogram.record(value) }
    #expect(histogram.quantile(0.5) == 2)
    #expect(histogram.quantile(0.83) == 127)
    #expect(histogram.max == 128)
  }

  @Test func theLargestValueFits() {
    var histogram = Histogram()
    histogram.record(.max)
    #expect(histogram.quantile(0.5) == .max)
  }

  @Test func nothingIsZero() { #expect(Histogram().quantile(0.5) == 0) }

  @Test func spreadIsOfTheSortedValues() throws {
    let odd = try #require(Spread([3, 1, 2]))
    #expect((odd.median, odd.min, odd.max) == (2, 1, 3))
    #expect(Spread([1, 2, 3, 4])?.median == 2.5)
    #expect(Spread([]) == nil)
  }
}
