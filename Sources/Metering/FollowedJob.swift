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

    /// The longest that a job of this kind may be under way; past it it is charged at its estimate.
    public var windowMilliseconds: Int64 {
      switch self {
      case .backgroundResponse: 24 * Self.hour
      // It has 24 hours to be worked on, and as many for its results to be fetched.
      case .messageBatch, .batch: 48 * Self.hour
      }
    }

    private static let hour: Int64 = 3_600_000
  }

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

  public init(
    kind: Kind, upstream: String, path: String, id: String, model: String,
    serviceTier: String? = nil, inputTokens: Int64, outputTokens: Int64?, status: UInt16,
    startedAt: Timestamp
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
    deadline = startedAt.adding(milliseconds: kind.windowMilliseconds)
  }
}
