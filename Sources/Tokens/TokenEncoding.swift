// Which vocabulary OpenAI's models use.

/// The encodings that this module has a vocabulary for.
public enum TokenEncoding: Sendable, CaseIterable {
  /// cl100k_base
  case cl100k
  /// o200k_base
  case o200k

  /// Its vocabulary, loaded when it is first asked for.
  public var vocabulary: Vocabulary {
    switch self {
    case .cl100k: .cl100k
    case .o200k: .o200k
    }
  }

  /// As tiktoken maps them: whole names, and with a hyphen at the end the beginnings of names.
  private static let names: [(name: String, encoding: TokenEncoding)] = [
    ("gpt-4o", .o200k), ("gpt-4o-", .o200k), ("chatgpt-4o-", .o200k), ("gpt-4.1", .o200k),
    ("gpt-4.1-", .o200k), ("gpt-4.5-", .o200k), ("gpt-5", .o200k), ("gpt-5-", .o200k),
    ("o1", .o200k), ("o1-", .o200k), ("o3", .o200k), ("o3-", .o200k), ("o4-mini", .o200k),
    ("o4-mini-", .o200k), ("gpt-4", .cl100k), ("gpt-4-", .cl100k), ("gpt-3.5", .cl100k),
    ("gpt-3.5-turbo", .cl100k), ("gpt-3.5-turbo-", .cl100k), ("gpt-35-turbo", .cl100k),
    ("gpt-35-turbo-", .cl100k), ("text-embedding-3-small", .cl100k),
    ("text-embedding-3-large", .cl100k), ("text-embedding-ada-002", .cl100k),
  ]

  /// The encoding of the model that OpenAI serves under this name; nil: not known here.
  ///
  /// Any other server may give any model such a name, so the caller must know whose it is.
  public static func of(model: String) -> TokenEncoding? {
    for (name, encoding) in names {
      if model == name || name.last == "-" && model.hasPrefix(name) { return encoding }
    }
    // tiktoken takes whatever begins with gpt-5; here gpt-5.1 and its kind alone.
    if model.hasPrefix("gpt-5.") { return .o200k }
    return nil
  }
}
