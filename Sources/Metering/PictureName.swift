// Under which name price lists have a picture of a size, and a quality, of a model that has no one
// price for all.

/// Such a name: `hd/1024-x-1792/dall-e-3`, or `1024-x-1792/MODEL` of no stated quality.
public struct PictureName: Hashable, Sendable, CustomStringConvertible {
  /// Nil: it is not said.
  public var quality: String?
  /// In pixels.
  public var width: Int64
  public var height: Int64
  public var model: String

  public init(quality: String?, width: Int64, height: Int64, model: String) {
    (self.quality, self.width, self.height, self.model) = (quality, width, height, model)
  }

  /// Nil where a name has no size before its model.
  public init?(_ name: String) {
    let parts = name.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    for place in 0..<2 where parts.count > place + 1 {
      guard let (width, height) = Self.size(parts[place]) else { continue }
      self.init(
        quality: place == 1 ? String(parts[0]) : nil, width: width, height: height,
        model: parts[(place + 1)...].joined(separator: "/"))
      return
    }
    return nil
  }

  private static func size(_ text: Substring) -> (Int64, Int64)? {
    guard let mark = text.firstRange(of: "-x-"), let width = Int64(text[..<mark.lowerBound]),
      let height = Int64(text[mark.upperBound...]), width > 0, height > 0
    else { return nil }
    return (width, height)
  }

  public var description: String {
    "\(quality.map { $0 + "/" } ?? "")\(width)-x-\(height)/\(model)"
  }

  /// Held at the end of the range.
  public var pixels: Int64 {
    let (pixels, isOver) = width.multipliedReportingOverflow(by: height)
    return isOver ? .max : pixels
  }

  /// What price lists call the qualities of pictures: what a provider may choose among where the
  /// request leaves it open.
  static let qualities: [String?] = ["standard", "hd", "low", "medium", "high"]
}

extension PriceBook {
  /// The prices that a picture may have where its model has none under its own name, each with the
  /// name that it stands under: one, or, where the quality is the provider's to choose, that of
  /// none and those of each that it may choose. Another name of the model, an alias or a
  /// deployment's, is looked up under the model's.
  public func prices(
    ofPicture picture: PictureName, at now: Timestamp
  ) -> [(name: String, price: ModelPrice)] {
    let other = model(of: picture.model)
    for model in [picture.model] + (other == picture.model ? [] : [other]) {
      func found(_ quality: String?) -> (name: String, price: ModelPrice)? {
        var name = picture
        (name.quality, name.model) = (quality, model)
        let text = name.description
        return price(model: text, at: now).map { (text, $0) }
      }
      let qualities = picture.quality == nil ? [nil] + PictureName.qualities : [picture.quality]
      let all = qualities.compactMap { found($0) }
      if !all.isEmpty { return all }
    }
    return []
  }

  /// Whether a model has a price, its own or one of a picture of some size.
  public func isPriced(_ model: String, at now: Timestamp) -> Bool {
    if price(model: model, at: now) != nil { return true }
    let others = [model, self.model(of: model)]
    return models.contains { name in
      PictureName(name).map { others.contains($0.model) } == true
        && price(model: name, at: now) != nil
    }
  }
}
