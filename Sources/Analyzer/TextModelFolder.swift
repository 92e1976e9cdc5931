// The folder of trained classifiers: thresholds/classifiers/NAME.json, reviewed like code.

import Foundation
import Labels

/// Trained classifiers by name.
public struct TextModelFolder: Hashable, Sendable {
  public let path: String

  /// - Parameter path: as in "thresholds/classifiers".
  public init(path: String) { self.path = path }

  public func file(_ name: String) -> String { "\(path)/\(name).json" }

  /// - Throws: `classifier`, with the names that there are.
  public func load(_ name: String) throws(AnalyzerFault) -> TextModel {
    try check(name)
    guard let data = FileManager.default.contents(atPath: file(name)) else {
      throw AnalyzerFault(
        .classifier, "There is no trained classifier '\(name)' (looked for \(file(name)))",
        hint: names.isEmpty
          ? "Train one with 'leeway classifier train'."
          : "Trained ones: \(names.joined(separator: ", ")).")
    }
    do {
      let model = try JSONDecoder().decode(TextModel.self, from: data)
      guard model.name == name else {
        throw unreadable(name, "it says that it is '\(model.name)'; was it renamed by hand?")
      }
      return model
    } catch let fault as AnalyzerFault {
      throw fault
    } catch let DecodingError.dataCorrupted(context) {
      throw unreadable(name, context.debugDescription)
    } catch DecodingError.keyNotFound(let key, _) {
      throw unreadable(name, "\(key.stringValue) is missing")
    } catch {
      throw unreadable(name, "it is not what 'leeway classifier train' writes")
    }
  }

  /// Names of the trained classifiers, sorted.
  public var names: [String] { fileNames(in: path) }

  /// Writes a model's file, whole or not at all.
  /// - Throws: `classifier` where there is one already, unless `replaces`.
  public func save(_ model: TextModel, replaces: Bool) throws(AnalyzerFault) {
    try check(model.name)
    if !replaces, FileManager.default.fileExists(atPath: file(model.name)) {
      throw AnalyzerFault(
        .classifier, "There is a trained classifier '\(model.name)' already (\(file(model.name)))",
        hint: "Choose another name, or replace it with --replace.")
    }
    let data: Data
    do {
      data = try stableJSON(model)
      // What cannot be read back would stop every app that names it.
      _ = try JSONDecoder().decode(TextModel.self, from: data)
    } catch {
      throw AnalyzerFault(
        .classifier, "The classifier '\(model.name)' cannot be written as JSON",
        hint: "This is a fault of the program.", cause: error)
    }
    try writeWhole(data, to: file(model.name))
  }

  private func check(_ name: String) throws(AnalyzerFault) {
    guard BaselineFolder.isFileName(name) else {
      throw AnalyzerFault(
        .name, "'\(name)' cannot be the name of a trained classifier's file",
        hint: "Use 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit.")
    }
  }

  private func unreadable(_ name: String, _ why: String) -> AnalyzerFault {
    AnalyzerFault(
      .classifier, "The trained classifier \(file(name)) cannot be read: \(why)",
      hint: "Restore it from version control, or train it anew with 'leeway classifier train'.")
  }
}

/// The names of a folder's `.json` files without their ending, sorted.
func fileNames(in folder: String) -> [String] {
  let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  return entries.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
    .filter(BaselineFolder.isFileName).sorted()
}
