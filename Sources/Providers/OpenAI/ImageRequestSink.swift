// Hears the parts of a request for pictures, in either form of its body.

/// The sink of a request for pictures whose body is JSON.
struct ImageRequestSink: RequestSink {
  private(set) var fault: PeekFault?
  private var image = ImageRequest()
  private var said = SaidKeys<ImageRequest.Key>()
  private var top: ImageRequest.Key?
  /// The value of `top` is a list.
  private var isList = false

  init() {}

  static func request(
    _ body: UnsafeRawBufferPointer, form: RequestForm, deployment: String?
  ) throws(PeekFault) -> PeekedRequest {
    switch form {
    case .json: try read(body).image.peeked(deployment: deployment)
    case .multipart(let boundary):
      try request(ofForm: MultipartForm(body, boundary: boundary)).peeked(deployment: deployment)
    case .unknown: throw .formUnknown
    }
  }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    guard let top else { return }
    if depth == 1, !top.isPicture { note(.wrong(top.name, "a plain value", at: offset)) }
    if depth == 1 { isList = !isObject }
    if isObject { notePicture(depth: depth) }
    if top.isPicture, !isObject, depth > 1 { image.note(unboundable: ImageRequest.otherPicture) }
  }

  /// A picture is an object or a text, alone or in a list.
  private mutating func notePicture(depth: Int) {
    guard top?.isPicture == true, depth == 1 || depth == 2 && isList else { return }
    image.pictures += 1
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard depth == 1 else { return }
    top = said.key(text, at: range.lowerBound, fault: &fault)
    if let part = top?.foreignPart { image.note(unboundable: part) }
    if top == nil, ImageRequest.mayHoldPicture(text.bytes) {
      image.note(unboundable: ImageRequest.otherPicture)
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard let top else {
      image.textBytes += text.count
      return
    }
    if top.isPicture { return notePicture(depth: depth) }
    guard depth == 1 else { return }
    switch top {
    case .model:
      guard let name = text.string else {
        return note(.wrong("model", "a string of at most 256 bytes", at: range.lowerBound))
      }
      image.model = name
    case .size: image.size = text.string ?? ""
    case .quality: image.quality = text.string ?? ""
    case .n, .partialImages: note(.wrong(top.name, "a whole number", at: range.lowerBound))
    case .stream: note(.wrong("stream", "true or false", at: range.lowerBound))
    default: image.textBytes += text.count
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    guard depth == 1, let top, value != .null else { return }
    switch (top, value) {
    case (.n, .number(let number?)) where (1...1_000).contains(number): image.count = number
    case (.partialImages, .number(let number?)) where (0...1_000).contains(number):
      image.partialImages = number
    case (.stream, .boolean(let isStream)): image.isStream = isStream
    case (.n, _): note(.wrong("n", "a whole number from 1", at: range.lowerBound))
    case (.partialImages, _):
      note(.wrong("partial_images", "a whole number", at: range.lowerBound))
    case (.stream, _): note(.wrong("stream", "true or false", at: range.lowerBound))
    case (.model, _), (.size, _), (.quality, _), (.prompt, _):
      note(.wrong(top.name, "a string", at: range.lowerBound))
    default: break
    }
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  consuming func finished(bodyBytes: Int) -> PeekedRequest { image.peeked(deployment: nil) }

  // MARK: A form

  private static func request(ofForm form: MultipartForm) throws(PeekFault) -> ImageRequest {
    var form = form
    var image = ImageRequest()
    var fields = FormFields<ImageRequest.Key>()
    while let part = try form.next() {
      guard let key = try fields.key(of: part, repeats: { $0 == .image || $0 == .images }) else {
        // Whatever its name, a file may be shown to the model, and so may a text.
        if part.isFile { image.pictures += 1 } else { image.textBytes += part.content.count }
        if !part.isFile, ImageRequest.mayHoldPicture(part.name) {
          image.note(unboundable: ImageRequest.otherPicture)
        }
        continue
      }
      if key.isPicture {
        image.pictures += 1
        continue
      }
      let text = try fields.text(of: part, key)
      if let foreign = key.foreignPart { image.note(unboundable: foreign) }
      switch key {
      case .model: image.model = text
      case .size: image.size = text
      case .quality: image.quality = text
      case .n, .partialImages:
        guard let number = formNumber(part.content), key != .n || number > 0 else {
          throw .wrong(key.name, "a whole number", at: part.offset)
        }
        if key == .n { image.count = number } else { image.partialImages = number }
      case .stream: image.isStream = try fields.flag(of: part, key)
      default: image.textBytes += part.content.count
      }
    }
    return image
  }
}

extension ImageRequest.Key {
  /// How a field that only other servers know is named to people.
  fileprivate var foreignPart: String? {
    switch self {
    case .numImages, .numOutputs, .batchSize, .resolution: "'\(name)'"
    default: nil
    }
  }
}
