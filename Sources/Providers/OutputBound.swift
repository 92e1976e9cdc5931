// Puts an output bound into a request that has none, so that the upstream holds the answer to what
// was reserved for it.

extension ChatRequest {
  /// The field that bounds the output: for callers to set, and for the gateway to put in.
  ///
  /// Of the two that chat completions know, `max_completion_tokens` is the one that can be put into
  /// any request. OpenAI's reasoning models answer `max_tokens` with a 400, and every model does so
  /// where both are set, so that sending both is no way out. It counts reasoning tokens too, which
  /// are billed as output. vLLM obeys it, and llama.cpp does since February 2026; servers that
  /// ignore it (older llama.cpp and its kin) are not held by it, and what they bill beyond the
  /// reservation shows as the app's debt. An app on such an upstream sets `max_tokens` itself.
  public static let outputBoundField = "max_completion_tokens"

  /// The splice that sets the output bound; only for a request whose `outputTokensMax` is nil.
  ///
  /// A null under the field is replaced: beside it, a second member would let the upstream choose
  /// which of the two it reads.
  ///
  /// - Parameter most: tokens of one answer, at least 1.
  public func outputBoundSplice(_ most: Int64) -> BodySplice {
    if let value = splice.nullBound {
      return BodySplice(range: value, inserting: Array("\(most)".utf8))
    }
    let member = "\"\(Self.outputBoundField)\":\(most)" + (splice.topIsEmpty ? "" : ",")
    return BodySplice(range: splice.topObject..<splice.topObject, inserting: Array(member.utf8))
  }

  /// The most output tokens of the whole call once the bound has been put in.
  ///
  /// `max_output_tokens` counts where it is larger, as it does beside a bound of the caller's own:
  /// an upstream that knows the field may obey it.
  public func outputTokensMax(withBound most: Int64) -> Int64 {
    outputTokens(ofEach: max(most, foreignOutputTokens))
  }
}
