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

  /// Names with what may follow each: "" for no more, else the next character.
  private static let families: [(name: String, encoding: TokenEncoding)] = [
    ("gpt-4o", .o200k), ("chatgpt-4o", .o200k), ("gpt-4.1", .o200k), ("gpt-4.5", .o200k),
    ("gpt-5", .o200k), ("o1", .o200k), ("o3", .o200k), ("o4", .o200k), ("gpt-4", .cl100k),
    ("gpt-3.5", .cl100k), ("text-embedding-3", .cl100k), ("text-embedding-ada-002", .cl100k),
  ]

  /// The encoding of the model that OpenAI serves under this name; nil: not known here.
  ///
  /// Any other server may give any model such a name, so the caller must know whose it is.
  public static func of(model: String) -> TokenEncoding? {
    for family in families where model.hasPrefix(family.name) {
      let rest = model.dropFirst(family.name.count)
      if rest.isEmpty || rest.first == "-" { return family.encoding }
      // gpt-5.1 and its kind; gpt-4.2 would be a model of its own.
      if family.name == "gpt-5", rest.first == "." { return family.encoding }
    }
    return nil
  }
}
