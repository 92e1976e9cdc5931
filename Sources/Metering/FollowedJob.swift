// Work that goes on at the provider after its call was answered: what it takes to see to its end.

/// A job at a provider, made by a call whose reservation stays open until the job's end is known.
public struct FollowedJob: Hashable, Sendable, Codable {
  /// What kind of job it is. Raw values stand in the journal and are never reused.
  public enum Kind: UInt8, Sendable, Codable, CaseIterable {
    /// A response of OpenAI's in the background.
    case backgroundResponse = 0
    /// A batch of messages of Anthropic's.
    case messageBatch = 1
    /// A batch of OpenAI's, whose requests stand in a file.
    case batch = 2

    /// How long its results, if it has some, can be waited for when its time is up.
    fileprivate var graceMilliseconds: Int64 {
      switch self {
      case .backgroundResponse: 0
      case .messageBatch, .batch: FollowedJob.day
      }
    }
  }

  /// The time that a job has to be worked on where its request names no other, in milliseconds.
  public static let day: Int64 = 86_400_000

  public var kind: Kind
  /// The upstream's name.
  public var upstream: String
  /// Below which path of the upstream its jobs stand, with what of the query they need.
  public var path: String
  /// The provider's name for it.
  public var id: String
  /// The model that was asked for; empty where a batch asks for several.
  public var model: String
  /// The service tier that was asked for.
  public var serviceTier: String?
  /// At most so many tokens of input.
  public var inputTokens: Int64
  /// At most so many tokens of output; nil where nothing bounds them.
  public var outputTokens: Int64?
  /// The status that the caller saw; 0 where it saw none.
  public var status: UInt16
  /// The call's start: the moment whose prices hold.
  public var startedAt: Timestamp
  /// Past it the call is charged at its estimate.
  public var deadline: Timestamp

  /// - Parameter windowMilliseconds: the time that it has to be worked on.
  public init(
    kind: Kind, upstream: String, path: String, id: String, model: String,
    serviceTier: String? = nil, inputTokens: Int64, outputTokens: Int64?, status: UInt16,
    startedAt: Timestamp, windowMilliseconds: Int64 = Self.day
  ) {
    self.kind = kind
    self.upstream = upstream
    self.path = path
    self.id = id
    self.model = model
    self.serviceTier = serviceTier
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.status = status
    self.startedAt = startedAt
    deadline = startedAt.adding(milliseconds: windowMilliseconds + kind.graceMilliseconds)
  }
}
