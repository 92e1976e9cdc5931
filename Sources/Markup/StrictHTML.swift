// Text as HTML that can be nothing but text: what every page of the program is escaped by.
//
// Mustache's own escape goes by characters as people see them: a "<" with a combining accent is
// one such character, is none of the five, and passes unescaped, as does a quotation mark that
// would then close an attribute. This one goes scalar by scalar.

import Mustache

/// Escapes text for HTML, for a place between tags or in a quoted attribute.
public enum StrictHTML {
  /// What a browser reads as exactly this text.
  ///
  /// Control characters (but newline and tab) and marks that turn the direction of text become
  /// U+FFFD: with them, one text could read as another.
  public static func escape(_ text: String) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
      case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
      case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
      case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
      case "\n", "\t": escaped.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}",
        "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}":
        escaped.append("\u{FFFD}")
      default: escaped.append(scalar)
      }
    }
    return String(escaped)
  }

  /// Parses a template whose values in double braces are escaped so.
  ///
  /// - Throws: what Mustache throws where the template's own markup is wrong.
  public static func template(_ text: String) throws -> MustacheTemplate {
    MustacheContentTypes.register(ContentType(), named: ContentType.name)
    return try MustacheTemplate(string: "{{% CONTENT_TYPE:\(ContentType.name)}}" + text)
  }

  private struct ContentType: MustacheContentType {
    static let name = "LEEWAY_HTML"

    func escapeText(_ text: String) -> String { StrictHTML.escape(text) }
  }
}
