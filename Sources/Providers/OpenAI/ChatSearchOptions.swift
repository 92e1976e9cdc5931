// The options of a chat's web searches, as far as they decide what a search costs.

import Metering

/// `web_search_options` of a chat request: whether it asks for searches, and for how large ones.
struct ChatSearchOptions {
  private enum Field { case size, location, other }

  /// What the request says of searches; nil: nothing.
  private(set) var search: WebSearch?
  private var field = Field.other
  private var hasSize = false

  /// The value is there, and no list or plain value: even an empty object may switch searches on.
  mutating func begin() { search = search ?? WebSearch() }

  /// A key of the object itself.
  mutating func key(_ text: JSONText) {
    if text.equals("search_context_size") {
      // Which of two an upstream reads, nobody knows.
      if hasSize { search?.isUnboundable = true }
      hasSize = true
      field = .size
    } else if text.equals("user_location") {
      field = .location
    } else {
      field = .other
      search?.isUnboundable = true
    }
  }

  /// A string that stands at the object's own level.
  mutating func string(_ text: JSONText) {
    guard field == .size else { return }
    guard let size = text.string.flatMap(SearchSize.init) else { return notPlain() }
    search?.size = size
  }

  /// A value of another kind where a size should stand.
  mutating func notPlain() {
    if field == .size { search?.isUnboundable = true }
  }
}

/// What a request says of web searches that its model makes by itself.
struct WebSearch: Hashable, Sendable {
  /// How large a context it asks for; nil: the provider's choice.
  var size: SearchSize?
  /// It asks for more than its size and where the user is.
  var isUnboundable = false
}
