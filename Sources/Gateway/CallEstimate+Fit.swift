// An output bound that the gateway puts in, made as small as the money left allows.

import Metering
import NIOCore
import Providers

extension CallEstimate {
  /// Lowers the output bound that the gateway puts into the request until the call's cost fits,
  /// but not below the app's `fit.outputTokensMin`: an answer shorter than that is of no use. A
  /// bound of the caller's own is lowered only where the app wants that.
  ///
  /// - Parameters:
  ///   - room: the most that fits.
  ///   - file: as in `PriceBook.file`.
  mutating func fit(to room: Money, plan: RequestPlan, body: ByteBuffer, pricedIn file: String) {
    let least = fitTokensMin
    fitTokensMin = nil
    guard let least, case .atMost(let most) = bound, most > room, let operation = plan.operation,
      let request = try? Self.peek(operation, plan, body).priced(at: price),
      let usual = outputBound ?? request.outputTokensPerChoice, least < usual
    else { return }
    let isCallers = outputBound == nil
    func holding(_ tokens: Int64) -> CallEstimate {
      var estimate = self
      if isCallers {
        estimate.loweredBound = tokens
        estimate.outputTokens = request.outputTokens(ofEach: tokens)
      } else {
        estimate.outputBound = tokens
        estimate.outputTokens = request.outputTokensMax(withBound: tokens)
      }
      estimate.bound = estimate.costBound(of: request, pricedIn: file)
      return estimate
    }
    func fits(_ tokens: Int64) -> Bool {
      guard case .atMost(let cost) = holding(tokens).bound else { return false }
      return cost <= room
    }
    guard fits(least) else { return }
    // `low` fits, `high` does not: the usual bound was refused.
    var (low, high) = (least, usual)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if fits(middle) { low = middle } else { high = middle }
    }
    self = holding(low)
    splices =
      isCallers ? request.splices(loweringTo: low) : request.splices(outputBound: low)
  }
}
