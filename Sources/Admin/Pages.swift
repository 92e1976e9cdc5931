// From values to pages: templates are compiled once, then filled.
//
// `StrictHTML` escapes every value; the templates use no unescaped tag, so that an app's name or a
// verdict's text cannot become markup.

import Markup
import Metering
import Mustache

/// The rendered pages.
struct Pages: Sendable {
  private let library: MustacheLibrary
  private let refreshSeconds: Int

  init(refreshSeconds: Int) throws {
    self.refreshSeconds = refreshSeconds
    library = MustacheLibrary(templates: [
      "overview": try StrictHTML.template(PageTemplates.overview),
      "message": try StrictHTML.template(PageTemplates.message),
      "listing": try StrictHTML.template(PageTemplates.listing),
      "head": try StrictHTML.template(PageTemplates.head),
      "style": try StrictHTML.template(PageStyle.css),
    ])
  }

  func overview(_ overview: Overview, nonce: String) -> String {
    let model = OverviewModel(overview, refreshSeconds: refreshSeconds, nonce: nonce)
    return library.render(model, withTemplate: "overview") ?? ""
  }

  func message(title: String, text: String, nonce: String) -> String {
    struct Model {
      var title: String
      var text: String
      var nonce: String
      var refreshSeconds: Int?
    }
    let model = Model(title: title, text: text, nonce: nonce, refreshSeconds: nil)
    return library.render(model, withTemplate: "message") ?? ""
  }

  func listing(path: String, entries: [String], nonce: String) -> String {
    struct Entry {
      var name: String
      var link: String
    }
    struct Model {
      var title: String
      var isTop: Bool
      var entries: [Entry]
      var isEmpty: Bool
      var nonce: String
      var refreshSeconds: Int?
    }
    let names = ReportFiles.segments(of: path) ?? []
    let model = Model(
      title: names.isEmpty ? "Reports" : "Reports " + names.joined(separator: " / "),
      isTop: names.isEmpty,
      entries: entries.map { Entry(name: $0, link: "./" + PageLink.encoded($0)) },
      isEmpty: entries.isEmpty, nonce: nonce, refreshSeconds: nil)
    return library.render(model, withTemplate: "listing") ?? ""
  }
}

/// Names as parts of a link.
enum PageLink {
  /// Percent-encodes all but unreserved characters and `/`.
  static func encoded(_ path: String) -> String {
    var text = ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let hex = String(byte, radix: 16, uppercase: true)
        text += byte < 16 ? "%0\(hex)" : "%\(hex)"
      }
    }
    return text
  }
}
