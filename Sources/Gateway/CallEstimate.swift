// The most that a call can cost, known before it is made.

import Metering
import NIOCore
import Providers
import Tokens
import Wire

/// What the request's body says, and the bound on the call's cost that follows from it.
struct CallEstimate {
  /// The model that the request names; empty on paths without one.
  var model = ""
  /// The models that the requests of a batch name besides.
  var otherModels: [String] = []
  /// The families of all of them; nil where no budget asks. See `PriceBook.family`.
  var families: [String]?
  /// How many requests to the model it is: of a batch as many as it has.
  var requests: Int64 = 1
  var isStream = false
  var bound = CostBound.atMost(.zero)
  /// At most so many tokens of input.
  var inputTokens: Int64 = 0
  /// At most so many tokens of output, over all choices; nil where nothing bounds them.
  var outputTokens: Int64?
  /// Whether these bound the tokens that will be reported: not of a model that is billed by
  /// pictures, seconds or characters.
  var boundsTokens = true
  /// How many answers the request asks for, at least 1.
  var choices: Int64 = 1
  /// At most so many units that are no tokens.
  var units: [UsageCount] = []
  /// Whether these are what is billed, and all that is, where the whole of it is answered.
  var hasExactUnits = false
  /// How large searches the request asks of a model that makes them by itself.
  var searchSize: SearchSize?
  /// The price of `model` at the call's start.
  var price: ModelPrice?
  /// Under which name it has that price, where that is not its own; nil: it is.
  var pricedAs: String?
  /// The provider chooses which of several prices a picture has; `price` is the dearest.
  private var isQualityOpen = false
  /// The service tier that the request names.
  var serviceTier: String?
  /// The region that the request names; see `ModelPrice.dearestRegion(asked:)`.
  var region: String?
  /// What the body needs so that the upstream reports a stream's usage and obeys `outputBound`.
  var splices: [BodySplice] = []
  /// The bound of output tokens of each answer that the gateway puts into the request, since the
  /// caller set none and the call was admitted under it; nil where it puts in none.
  var outputBound: Int64?
  /// The bound of output tokens of each answer that the caller's own was lowered to; nil: it was
  /// not.
  var loweredBound: Int64?
  /// The smallest output bound that is put in where the usual one does not fit; nil: none smaller.
  var fitTokensMin: Int64?
  /// How the input's text is cut into tokens that may be counted, while it is counted by its bytes;
  /// nil: it may not, or was.
  private var encoding: TokenEncoding?
  /// Whether the bound can be made smaller.
  var mayTighten: Bool { encoding != nil || fitTokensMin != nil }
  /// The caller did not ask for a stream's usage, so it must not see it.
  var hidesUsage = false
  /// The work may go on when the call has its answer.
  var jobKind: FollowedJob.Kind?
  /// The time that it gives that work.
  var jobWindowMilliseconds = FollowedJob.day
  /// The file that the cost depends on; nil: it depends on none.
  var batchInput: BatchInput?

  /// The longest model name that is taken: it goes into the journal with every call.
  static let modelBytesMax = 256

  /// What an app's policy says of an estimate.
  struct Policy {
    /// See `AppPolicy.outputTokensDefault`.
    var outputTokensDefault: Int64?
    var isBudgeted: Bool
    /// See `AppPolicy.fitTokensMin`.
    var fitTokensMin: Int64?
    /// See `AppPolicy.fitsCallersBound`.
    var fitsCallersBound = false
    /// The app may not call every model.
    var limitsModels = false
    /// Some budget is each model's, or what its calls hold is learned by model.
    var isByModel = false
  }

  /// Reads the body where the endpoint is metered.
  ///
  /// - Returns: why the body is not taken. The estimate then stands as far as it got: a refusal is
  ///   recorded under the model that was asked for.
  mutating func read(
    plan: RequestPlan, body: ByteBuffer, policy: Policy, upstream: GatewayUpstream,
    at now: Timestamp
  ) -> Denial? {
    let operation: Operation
    switch plan.endpoint {
    case .free, .stored: return nil
    case .unmetered:
      bound = .none(.pathUnmetered(path: plan.pathText))
      return nil
    case .metered(let metered): operation = metered
    }
    do throws(PeekFault) {
      var request = try Self.peek(operation, plan, body)
      if operation == .batches {
        return takeInput(of: request, limitsModels: policy.limitsModels)
      }
      let isNamed = Self.isName(request.model) && request.parts.allSatisfy { Self.isName($0.model) }
      guard isNamed || operation == .responsesSocket else {
        return .requestInvalid(message: Self.modelMessage)
      }
      model = request.model
      price = upstream.prices.price(model: model, at: now)
      if let picture = request.pictureName { take(picture, of: request, upstream.prices, at: now) }
      request = request.priced(at: price)
      hasExactUnits = request.hasExactUnits && !isQualityOpen
      boundsTokens = request.boundsTokens(at: price)
      if policy.isByModel { families = [upstream.prices.family(of: model, at: now)] }
      if request.parts.isEmpty {
        take(request, policy: policy, pricedIn: upstream.prices.file)
      } else if let denial = takeBatch(request, prices: upstream.prices, at: now) {
        return denial
      }
      let canFit = outputBound != nil || policy.fitsCallersBound && request.statesBound
      fitTokensMin = canFit ? policy.fitTokensMin : nil
      if policy.isBudgeted, operation.hasCountableText { encoding = upstream.encoding(of: model) }
      return nil
    } catch {
      return .requestInvalid(message: error.message)
    }
  }

  /// A picture of a model that has no price under its own name has that of its size and quality,
  /// the dearest where the provider chooses the quality. Pixels tell the number of pictures by the
  /// size alone, so that they are recorded under it, too, where it has no other price.
  private mutating func take(
    _ picture: PictureName, of request: PeekedRequest, _ prices: PriceBook, at now: Timestamp
  ) {
    guard price == nil else {
      let name = picture.description
      let isFree = prices.price(model: name, at: now) == nil
      if price?.base[.pixelsOut] != nil, isFree { pricedAs = name }
      return
    }
    guard let dearest = request.dearestPicture(in: prices, at: now) else { return }
    (pricedAs, price, isQualityOpen) = (dearest.name, dearest.price, dearest.isOpen)
  }

  static func peek(
    _ operation: Providers.Operation, _ plan: RequestPlan, _ body: ByteBuffer
  ) throws(PeekFault) -> PeekedRequest {
    var request = try body.withUnsafeReadableBytes { bytes throws(PeekFault) in
      try plan.headBytes.withUnsafeReadableBytes { head throws(PeekFault) in
        if !operation.takesForm { try checkCharset(plan.head.fields, in: head) }
        return try operation.peek(
          bytes, path: UnsafeRawBufferPointer(rebasing: head[plan.pathAndQuery]),
          form: operation.takesForm ? Self.form(plan.head.fields, in: head) : .json)
      }
    }
    if operation.hasCostInHead { readFields(plan, into: &request) }
    return request
  }

  // MARK: Tokens in place of bytes

  /// So many bytes of a call's text are counted at most, in some 2 ms, or 25 ms where a caller
  /// means harm: the calls of the same loop wait.
  private static let countedBytesMax = 128 * 1_024

  /// Bounds the text of the input by its tokens, which are fewer than its bytes. Done only where
  /// the bytes do not fit into a budget and no tokens at all would, since it is most of what a call
  /// costs.
  ///
  /// - Parameters:
  ///   - room: the most that fits.
  ///   - file: as in `PriceBook.file`.
  mutating func tighten(to room: Money, plan: RequestPlan, body: ByteBuffer, pricedIn file: String)
  {
    guard let encoding, let operation = plan.operation else { return }
    self.encoding = nil
    guard let request = try? Self.peek(operation, plan, body).priced(at: price)
    else { return }
    let bytes = inputTokens
    body.withUnsafeReadableBytes { body in
      operation.forEachText(in: body) { inputTokens -= Int64($0.count) }
    }
    guard case .atMost(let least) = costBound(of: request, pricedIn: file), least <= room else {
      inputTokens = bytes
      return
    }
    var counter = TextCounter(bytesMax: Self.countedBytesMax)
    inputTokens =
      bytes - body.withUnsafeReadableBytes { counter.saving(in: $0, of: operation, encoding) }
    bound = costBound(of: request, pricedIn: file)
  }

  /// What the head says of the body's form; a second content type is one that parsers part at.
  private static func form(_ fields: HeadFields, in head: UnsafeRawBufferPointer) -> RequestForm {
    let types = fields.slices.filter { $0.field == .contentType }
    guard types.count < 2 else { return .unknown }
    return RequestForm(
      contentType: types.first.map { UnsafeRawBufferPointer(rebasing: head[$0.value]) })
  }

  /// JSON may come under any type, but in UTF-8.
  private static func checkCharset(
    _ fields: HeadFields, in head: UnsafeRawBufferPointer
  ) throws(PeekFault) {
    for slice in fields.slices where slice.field == .contentType {
      guard RequestForm.isUTF8(UnsafeRawBufferPointer(rebasing: head[slice.value])) else {
        throw .charsetUnknown
      }
    }
  }

  private static func readFields(_ plan: RequestPlan, into request: inout PeekedRequest) {
    plan.headBytes.withUnsafeReadableBytes { bytes in
      for slice in plan.head.fields.slices where slice.field == .other {
        request.takeInvokeField(
          name: UnsafeRawBufferPointer(rebasing: bytes[slice.name]),
          value: UnsafeRawBufferPointer(rebasing: bytes[slice.value]))
      }
    }
  }

  static func isName(_ model: String) -> Bool {
    (1...modelBytesMax).contains(model.utf8.count)
  }

  static let modelMessage =
    "The request must name a 'model', in at most \(modelBytesMax) bytes."

  /// Of a request that no field can bound.
  private static let outputPart =
    "the length of its output (outputTokensMax of the model's price would bound it)"

  private mutating func take(
    _ request: PeekedRequest, policy: Policy, pricedIn file: String
  ) {
    isStream = request.isStream
    serviceTier = request.serviceTier
    region = request.region
    choices = request.choices
    inputTokens = request.inputTokensMax
    units = request.units
    if request.fillsContext { inputTokens = price?.inputTokensMax ?? 0 }
    searchSize = request.searchSize
    hidesUsage = request.hidesUsage
    jobKind = request.jobKind
    boundOutput(request, appMost: policy.outputTokensDefault, isBudgeted: policy.isBudgeted)
    splices = request.splices(outputBound: outputBound)
    bound = costBound(of: request, pricedIn: file)
  }

  /// The caller's own bound, else the smaller of the model's, which most providers enforce, and the
  /// app's, which nobody does unless a budgeted app's request says it.
  private mutating func boundOutput(_ request: PeekedRequest, appMost: Int64?, isBudgeted: Bool) {
    if let asked = request.outputTokensMax {
      outputTokens = asked
      return
    }
    let modelMost = price?.outputTokensMax
    let most = min(appMost ?? .max, modelMost ?? .max)
    let isNeeded = most < modelMost ?? .max || !request.isModelOutputEnforced
    guard most < .max, isNeeded, request.outputBoundPlace != nil else {
      outputTokens = modelMost.map { request.outputTokens(ofEach: $0) }
      return
    }
    if isBudgeted { outputBound = most }
    outputTokens = request.outputTokensMax(withBound: most)
  }

  func costBound(of request: PeekedRequest, pricedIn file: String) -> CostBound {
    if model.isEmpty, let part = request.unboundablePart {
      return .none(.costUnbounded(part: part))
    }
    guard let price else {
      let unit = request.mediaUnit
      let name = unit == .imagesOut ? request.pictureName?.description : nil
      return .none(.modelUnpriced(model: name ?? model, file: file, unit: unit))
    }
    if let part = request.unboundablePart { return .none(.costUnbounded(part: part)) }
    if request.fillsContext, price.inputTokensMax == nil {
      return .none(.costUnbounded(part: "a session with a model of unknown context window"))
    }
    guard let outputTokens else {
      let field = request.outputBoundField
      return .none(
        field.isEmpty ? .costUnbounded(part: Self.outputPart) : .outputUnbounded(field: field))
    }
    let worst = price.worstCase(
      inputTokens: inputTokens, outputTokens: outputTokens, units: units, serviceTier: serviceTier,
      region: region)
    guard let worst else { return .none(.costUnbounded(part: "its size")) }
    return .atMost(worst)
  }
}

extension PeekedRequest {
  /// Whether its bounds are of the tokens that will be reported: not where a model is billed by
  /// pictures, seconds or characters.
  func boundsTokens(at price: ModelPrice?) -> Bool {
    !isMedia || price?.isBilledByTokens != false && units.isEmpty
  }
}

extension PeekedRequest {
  /// The price by quality and size of a picture whose model has none of its own: the dearest where
  /// the provider chooses the quality (`isOpen`). Nil where there is none, or it is no picture.
  func dearestPicture(
    in prices: PriceBook, at now: Timestamp
  ) -> (name: String, price: ModelPrice, isOpen: Bool)? {
    guard let picture = pictureName else { return nil }
    func most(_ price: ModelPrice) -> Money {
      let request = priced(at: price)
      return price.worstCase(
        inputTokens: request.inputTokensMax, outputTokens: request.outputTokensMax ?? 0,
        units: request.units) ?? Money(nanodollars: .max)
    }
    let found = prices.prices(ofPicture: picture, at: now)
    return found.max { most($0.price) < most($1.price) }.map { dearest in
      let isOpen = found.count > 1 || picture.quality != PictureName(dearest.name)?.quality
      return (dearest.name, dearest.price, isOpen)
    }
  }
}
