// Names of pictures in price lists, and which of them prices a request.

import Testing

@testable import Metering

@Suite struct PictureNameTests {
  @Test(arguments: [
    ("hd/1024-x-1792/dall-e-3", "hd", 1_792, "dall-e-3"),
    ("512-x-512/m", nil, 512, "m"), ("1024-x-1024/50-steps/m", nil, 1_024, "50-steps/m"),
    ("low/8-x-9/a/b", "low", 9, "a/b"),
  ])
  func aNameIsReadAndWritten(text: String, quality: String?, height: Int64, model: String) throws {
    let name = try #require(PictureName(text))
    #expect(name.quality == quality && name.height == height && name.model == model)
    #expect(name.description == text)
  }

  @Test(arguments: [
    "dall-e-3", "us/gpt-4o", "a/b/8-x-9/m", "0-x-9/m", "8-x-9", "hd/8-x-9", "8-x-/m", "-x-9/m",
    "max-x-max/m", "8-x--9/m", "",
  ])
  func otherNamesAreNone(text: String) { #expect(PictureName(text) == nil) }

  private static let start = Timestamp(milliseconds: 0)

  private static let book: PriceBook = {
    var book = PriceBook()
    for (index, name) in [
      "standard/8-x-8/m", "hd/8-x-8/m", "9-x-9/m", "hd/9-x-9/m", "plain",
    ].enumerated() {
      var rates = Rates()
      rates[.imagesOut] = Int64(index + 1)
      book.add(ModelPrice(effectiveFrom: start, base: rates), model: name)
    }
    book.alias("mine", of: "hd/8-x-8/m")
    return book
  }()

  private static func found(_ quality: String?, _ side: Int64, _ model: String) -> [String] {
    book.prices(
      ofPicture: PictureName(quality: quality, width: side, height: side, model: model), at: start
    ).map(\.name)
  }

  @Test func theQualityThatIsNamedIsPricedElseAllThatTheProviderMayChoose() {
    #expect(Self.found("hd", 8, "m") == ["hd/8-x-8/m"])
    #expect(Self.found("low", 8, "m") == [])
    #expect(Self.found(nil, 8, "m") == ["standard/8-x-8/m", "hd/8-x-8/m"])
    // What is said of no quality may be the cheapest of them.
    #expect(Self.found(nil, 9, "m") == ["9-x-9/m", "hd/9-x-9/m"])
    #expect(Self.found(nil, 7, "m") == [])
    #expect(Self.found("hd", 8, "m-2026-01-31") == ["hd/8-x-8/m-2026-01-31"])
  }

  /// A deployment is an alias of the model, not of the one size that states it.
  @Test func anAliasIsOfAllSizes() {
    #expect(Self.found("hd", 9, "mine") == ["hd/9-x-9/m"])
    #expect(Self.found(nil, 8, "mine") == ["standard/8-x-8/m", "hd/8-x-8/m"])
    #expect(Self.book.price(model: "mine", at: Self.start) == nil)
    #expect(Self.book.isPriced("mine", at: Self.start) && Self.book.isPriced("m", at: Self.start))
    #expect(Self.book.isPriced("plain", at: Self.start))
    #expect(!Self.book.isPriced("x-8/m", at: Self.start))
    #expect(!Self.book.isPriced("m", at: Timestamp(milliseconds: -1)))
  }
}
