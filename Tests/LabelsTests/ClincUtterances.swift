// Utterances with intents that people gave them (clinc/oos-eval, CC-BY-3.0).

import Foundation
import Labels
import TestSupport
import Testing

enum ClincUtterances {
  /// - Parameter part: "train", "val" or "test".
  static func load(_ part: String) throws -> [LabelledText] {
    let file = try #require(ReferenceData.file("clinc150/data_full.json"))
    let parts = try JSONDecoder().decode([String: [[String]]].self, from: Data(contentsOf: file))
    return try #require(parts[part]).map { LabelledText(text: $0[0], label: $0[1]) }
  }
}
