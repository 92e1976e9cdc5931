// A request for pictures: new ones, edits of others, variations.

import Metering

/// What a request for pictures says, whether its body is JSON or a form.
struct ImageRequest {
  enum Key: UInt8, RequestKey, CaseIterable {
    case model, prompt, n, size, quality, stream, mask, image, images
    case partialImages
    // Servers of the same API count what they make under other names.
    case numImages, numOutputs, batchSize
    // By which xAI's are larger.
    case resolution

    static let all = allCases
    var name: StaticString {
      switch self {
      case .model: "model"
      case .prompt: "prompt"
      case .n: "n"
      case .size: "size"
      case .quality: "quality"
      case .stream: "stream"
      case .mask: "mask"
      case .image: "image"
      case .images: "images"
      case .partialImages: "partial_images"
      case .numImages: "num_images"
      case .numOutputs: "num_outputs"
      case .batchSize: "batch_size"
      case .resolution: "resolution"
      }
    }
    /// A list in a form repeats the name, with brackets.
    var otherName: StaticString? { self == .image ? "image[]" : nil }
    var isPicture: Bool { self == .mask || self == .image || self == .images }
  }

  static let tokensPerRequest: Int64 = 64

  var model = ""
  /// Pictures to make; nil: not said, which is one.
  var count: Int64?
  var size: String?
  var quality: String?
  var isStream = false
  /// Pictures shown on the way to each; nil: none.
  var partialImages: Int64?
  /// Pictures that go in.
  var pictures: Int64 = 0
  /// Bytes of all text that is no picture.
  var textBytes = 0
  var unboundablePart: String?

  /// - Parameter deployment: the model that the path names.
  func peeked(deployment: String?) -> PeekedRequest {
    var request = PeekedRequest()
    request.model = model
    request = request.of(deployment)
    request.isStream = isStream
    request.choices = max(count ?? 1, 1)
    request.unboundablePart = unboundablePart
    if isStream, request.choices > 1 {
      // Usage comes with each picture: of a stream that broke nobody knows how many are missing.
      request.unboundablePart = unboundablePart ?? "a stream of several pictures"
    }
    let input =
      Int64(textBytes) + Self.tokensPerRequest + pictures * OpenAIMedia.tokensPerImage
    // Each picture is billed as if it had been asked for alone.
    request.inputTokensMax = request.outputTokens(ofEach: input)
    let partial = max(partialImages ?? 0, 0)
    request.outputTokensPerChoice = ImageTokens.most(
      model: request.model, size: dimensions, quality: quality
    ).map { $0 + partial * ImageTokens.partialImage }
    request.media = units(request.choices)
    request.pictureName = pictureName(of: request.model)
    return request
  }

  private func pictureName(of model: String) -> PictureName? {
    guard let dimensions, quality?.utf8.allSatisfy({ isAlphanumeric($0) }) ?? true else {
      return nil
    }
    return PictureName(
      quality: quality == "auto" ? nil : quality, width: dimensions.width,
      height: dimensions.height, model: model)
  }

  private func units(_ count: Int64) -> MediaUnits {
    var units = MediaUnits(
      alternatives: [UsageCount(.imagesOut, count)], inputs: [UsageCount(.imagesIn, pictures)],
      isExact: true)
    if let dimensions {
      let pixels = dimensions.width * dimensions.height
      let (all, isOver) = pixels.multipliedReportingOverflow(by: count)
      units.alternatives.append(UsageCount(.pixelsOut, isOver ? .max : all))
    } else {
      units.uncounted = .init(
        bucket: .pixelsOut, part: "a picture without a plain 'size', which its model is billed by")
    }
    return units
  }

  /// `size` as two numbers; nil where it is `auto`, not said, or anything else.
  private var dimensions: ImageTokens.Size? {
    guard let sides = size?.split(separator: "x", omittingEmptySubsequences: false),
      sides.count == 2, let width = Self.side(sides[0]), let height = Self.side(sides[1])
    else { return nil }
    return ImageTokens.Size(width: width, height: height)
  }

  /// Digits alone, up to 100,000: some take "+16" for a number, others for nothing.
  private static func side(_ text: Substring) -> Int64? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.first != "0",
      let side = Int64(text), side <= 100_000
    else { return nil }
    return side
  }

  /// Whether the value of a key that is not read may hold a picture, at servers of the same API.
  /// A body may have millions of keys: nothing is allocated.
  static func mayHoldPicture(_ name: UnsafeRawBufferPointer) -> Bool {
    for start in name.indices where name[start] | 0x20 == 0x69 || name[start] | 0x20 == 0x70 {
      for word in pictureWords where name.count - start >= word.utf8CodeUnitCount {
        let part = name[start..<start + word.utf8CodeUnitCount]
        if equalsFolding(UnsafeRawBufferPointer(rebasing: part), word) { return true }
      }
    }
    return false
  }

  /// Each begins with an `i` or a `p`.
  private static let pictureWords: [StaticString] = ["image", "img", "picture", "photo"]

  static let otherPicture = "a picture under a name or in a list that is not known"

  mutating func note(unboundable part: String) { unboundablePart = unboundablePart ?? part }
}

/// Tokens of a picture that a model makes, as OpenAI publishes them (guide to image generation).
enum ImageTokens {
  struct Size {
    var width: Int64
    var height: Int64
  }

  /// Tokens of a picture shown on the way.
  static let partialImage: Int64 = 100

  /// The most tokens of one picture; nil where nothing is published of the model.
  ///
  /// What is not said is chosen by the model: the dearest counts.
  static func most(model: String, size: Size?, quality: String?) -> Int64? {
    if isOf(model, "gpt-image-2") { return area(size: size, quality: quality) }
    // A model that thinks first puts out text, too, of no published length: as much again.
    if isOf(model, "gpt-image-1.5") || model == "chatgpt-image-latest" {
      return 2 * table(quality)
    }
    return isOf(model, "gpt-image-1") || isOf(model, "gpt-image-1-mini") ? table(quality) : nil
  }

  /// The model itself or a dated one of its name.
  private static func isOf(_ model: String, _ name: String) -> Bool {
    guard model.hasPrefix(name) else { return false }
    let rest = model.dropFirst(name.count)
    return rest.isEmpty || rest.first == "-" && rest.utf8.allSatisfy { $0 < 0x3A }
  }

  /// The largest of the three sizes: square, portrait, landscape.
  private static func table(_ quality: String?) -> Int64 {
    switch quality {
    case "low": 408
    case "medium": 1_584
    default: 6_240
    }
  }

  /// A grid whose finer side has so many cells, times a factor that grows with the area.
  private static func area(size: Size?, quality: String?) -> Int64? {
    let cells: Int64
    switch quality {
    case "low": cells = 16
    case "medium": cells = 48
    case nil, "auto", "high": cells = 96
    // A quality that nothing is published of.
    default: return nil
    }
    // A square has the finest grid. It stands for a size that the model does not make, too: nobody
    // knows what it makes instead.
    var (long, short): (Int64, Int64) = (2_880, 2_880)
    if let size, isMade(size) {
      (long, short) = (max(size.width, size.height), min(size.width, size.height))
    }
    let other = (2 * cells * short + long) / (2 * long)
    let scale: Int64 = 4_000_000
    return (cells * other * (2_000_000 + long * short) + scale - 1) / scale
  }

  /// Whether gpt-image-2 makes pictures of a size.
  private static func isMade(_ size: Size) -> Bool {
    let (long, short) = (max(size.width, size.height), min(size.width, size.height))
    return long <= 3_840 && long <= 3 * short && (655_360...8_294_400).contains(long * short)
  }
}
