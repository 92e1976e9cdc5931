// What admission reads of a request's body, whatever its dialect.

import Metering

/// Why a request's body is not taken.
public struct PeekFault: Error, Hashable, Sendable {
  /// For the caller: what is wrong and where, without text of the request but for short names.
  public var message: String
  /// Bytes before the fault.
  public var offset: Int

  init(message: String, offset: Int) {
    self.message = message
    self.offset = offset
  }
}

/// A peeked request.
public struct PeekedRequest: Hashable, Sendable {
  /// The model it names; empty where it names none.
  public internal(set) var model = ""
  public internal(set) var isStream = false
  /// The caller must not see the extra usage event: it streams and did not ask for it.
  public internal(set) var hidesUsage = false
  /// How many answers it asks for, at least 1.
  public internal(set) var choices: Int64 = 1
  /// The most output tokens of one answer that it asks for; nil where it sets no bound.
  public internal(set) var outputTokensPerChoice: Int64?
  /// The most output tokens of one answer that a field of the request beside its bound could raise
  /// the bound to; 0: none can.
  var foreignOutputTokens: Int64 = 0
  /// `service_tier` as asked for.
  public internal(set) var serviceTier: String?
  /// Where it asks to be run; nil: it does not say.
  public internal(set) var region: String?
  /// An upper bound of the input tokens.
  public internal(set) var inputTokensMax: Int64 = 0
  /// The answer may come before the work is done; nil: it does not.
  public internal(set) var jobKind: FollowedJob.Kind?
  /// The time that it gives that work, in milliseconds; nil: it does not say.
  public internal(set) var jobWindowMilliseconds: Int64?
  /// The requests of a batch, each with a model of its own; empty: it is no batch.
  public internal(set) var parts: [BatchPart] = []
  /// Where the requests of a batch stand, if not in its own body.
  public internal(set) var batchInput: BatchInput?
  /// Nothing in the request bounds its input: it can fill the model's context window.
  public internal(set) var fillsContext = false
  /// It holds pictures.
  var hasPictures = false
  /// At most so many units that are no tokens: images to make, characters to speak.
  public internal(set) var units: [UsageCount] = []
  /// What it costs where its model is not billed by tokens; nil: it always is.
  var media: MediaUnits?
  /// Whether `units` are what is billed where the whole of it is answered, not a bound.
  public internal(set) var hasExactUnits = false
  /// The name under which price lists have a picture of the size and the quality that it asks for;
  /// nil: it does not say a plain size, or asks for no picture.
  public internal(set) var pictureName: PictureName?
  /// What it says of searches that its model makes by itself; nil: nothing.
  var webSearch: WebSearch?
  /// The part that makes the cost unboundable, for people: `an image (image_url)`; nil: none.
  public internal(set) var unboundablePart: String?
  /// The splice that makes a stream report its usage; nil where it does already, or is no stream.
  public internal(set) var usageSplice: BodySplice?
  /// Where an output bound is put in; nil where the request cannot be given one.
  public internal(set) var outputBoundPlace: BoundPlace?
  /// Whether the server itself ends an answer at the model's own maximum where the request sets no
  /// bound. Where it does not, the bound has to be put in whatever the book says.
  public internal(set) var isModelOutputEnforced = true
  /// Where the body names its model, with its quotes; nil: it does not, or another place decides.
  var modelPlace: Range<Int>?
  var statedBounds = StatedBounds()
  /// The field that bounds the output: for callers to set.
  public internal(set) var outputBoundField: String = ""

  init() {}

  /// The same request of the deployment that its path names, where it names one.
  consuming func of(_ deployment: String?) -> PeekedRequest {
    if let deployment {
      model = deployment
      modelPlace = nil
    }
    return self
  }

  /// The most output tokens of the whole call; nil where it sets no bound.
  public var outputTokensMax: Int64? {
    guard let outputTokensPerChoice else { return nil }
    return outputTokens(ofEach: outputTokensPerChoice)
  }

  /// The most output tokens of the whole call where each answer has at most `most`.
  public func outputTokens(ofEach most: Int64) -> Int64 {
    let (product, isOver) = most.multipliedReportingOverflow(by: choices)
    return isOver ? .max : product
  }

  /// The most output tokens of the whole call once the bound has been put in.
  ///
  /// `foreignOutputTokens` counts where it is larger, as it does beside a bound of the caller's
  /// own: an upstream that knows the field may obey it.
  public func outputTokensMax(withBound most: Int64) -> Int64 {
    outputTokens(ofEach: max(most, foreignOutputTokens))
  }

  /// The splice that sets the output bound; only for a request whose `outputTokensMax` is nil.
  ///
  /// - Parameter most: tokens of one answer, at least 1.
  public func outputBoundSplice(_ most: Int64) -> BodySplice? {
    outputBoundPlace.map { place in
      BodySplice(
        range: place.range, inserting: place.before + Array("\(most)".utf8) + place.after)
    }
  }

  /// It sets a bound of its own, which `splices(loweringTo:)` can lower.
  public var statesBound: Bool { outputTokensPerChoice != nil && !statedBounds.isEmpty }

  /// All splices that the body needs on its way upstream where its own bounds are lowered.
  ///
  /// - Parameter most: tokens of one answer, at least 1.
  public func splices(loweringTo most: Int64) -> [BodySplice] {
    (statedBounds.splices(loweringTo: most) + (usageSplice.map { [$0] } ?? []))
      .sorted { $0.range.lowerBound < $1.range.lowerBound }
  }

  /// All splices that the body needs on its way upstream, in the order of their ranges.
  ///
  /// - Parameter outputBound: the bound of output tokens to put in; nil: none. See
  ///   `outputBoundSplice(_:)`.
  public func splices(outputBound: Int64?) -> [BodySplice] {
    let bound = outputBound.flatMap { outputBoundSplice($0) }
    guard let usage = usageSplice else { return bound.map { [$0] } ?? [] }
    guard let bound else { return [usage] }
    // Both may insert at the same byte; either order gives the same members there.
    return bound.range.lowerBound <= usage.range.lowerBound ? [bound, usage] : [usage, bound]
  }
}
