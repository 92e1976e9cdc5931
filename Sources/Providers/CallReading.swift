// What an answer, JSON or stream, told of its call.
//
// Three states stay apart: usage that was reported (zero included), usage that was not (nil), and,
// beside it, the bytes of text seen, from which the gateway estimates when it must.

import Metering

/// The reading of one answer; valid at any moment, complete at its end.
public struct CallReading: Hashable, Sendable {
  /// As reported, in disjoint buckets; nil where the provider reported none.
  public var usage: Usage?
  /// What models beside the answering one consumed within the call, at prices of their own.
  public var otherModels: [ModelUsage] = []
  /// Whether the reported figures contradict each other (more cached tokens than input, a negative
  /// count, a fraction); they were clamped so that the sum stays what the provider said.
  public var isUsageInconsistent = false
  /// The model that the provider says it ran; empty where it did not say.
  public var responseModel = ""
  /// The service tier that the provider says it used.
  public var serviceTier: String?
  /// Where the provider says that it ran the model, where that has a price of its own.
  public var region: String?
  /// Why the model stopped: `stop`, `length`, `tool_calls`; nil until said.
  public var finishReason: String?
  /// The provider's name for what the call made, where that can go on without it.
  public var jobID: String?
  /// How much of its searches' results went before the model; nil where the provider did not say.
  public var searchSize: SearchSize?
  /// How many of a batch's requests were answered; nil: it is no batch, or does not say.
  public var resultCount: Int64?
  /// The file that the answers of a batch stand in; nil: in none, or it is not made yet.
  public var resultFile: String?
  /// Files that an answer about a batch or an upload names, each fit for a path.
  public var files: [String] = []
  /// What each request of a batch asked for, as far as the batch says.
  public var resultOperation: Operation?
  /// UTF-8 bytes of all text that the model was seen to produce, tool calls included: at least its
  /// visible output tokens. Reasoning that the provider hides is not in it.
  public var outputTextBytes: Int64 = 0
  /// How many pictures it brought; nil: it is not about pictures.
  public var pictures: Int64?
  /// Whether the answer, or an event of the stream, was an error.
  public var sawError = false
  /// Whether the answer was whole: the JSON object closed, or the stream said that it ended.
  public var isComplete = false

  public init() {}

  /// The service tier and the region that served, as prices name them.
  public var served: String? { ModelPrice.served(as: serviceTier, in: region) }
}
