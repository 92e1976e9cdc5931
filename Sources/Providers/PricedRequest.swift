// What only its model's price tells of a request.

import Metering

extension PeekedRequest {
  /// How large searches the request asks for; nil: it does not say.
  public var searchSize: SearchSize? { webSearch?.size }

  /// The same request as a model of this price bills it; see `billed(at:)` and `searching(at:)`.
  public consuming func priced(at price: ModelPrice?) -> PeekedRequest {
    var request = billed(at: price).searching(at: price)
    if let region = request.region, region != ModelPrice.anyRegion, price?.regions[region] == nil {
      request.unboundablePart = request.unboundablePart ?? "'inference_geo'"
    }
    return request
  }

  /// The same request as a model of this price bills searches that it makes by itself.
  consuming func searching(at price: ModelPrice?) -> PeekedRequest {
    switch price?.ownSearches {
    case nil where webSearch == nil: return self
    case .perCall where webSearch?.isUnboundable != true: break
    case .perSearch: unboundablePart = unboundablePart ?? "the searches that its model makes"
    case nil, .perCall: unboundablePart = unboundablePart ?? "'web_search_options'"
    }
    if let fee = price?.ownSearchFee(asked: searchSize) { units.append(fee) }
    return self
  }
}
