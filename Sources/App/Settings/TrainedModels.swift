// The trained classifiers that settings name: each file is read once, however many apps use it.

import Analyzer
import Labels

/// Trained classifiers by name, read when they are first named.
final class TrainedModels {
  private let folder: TextModelFolder
  private var known: [String: Result<TextModel, AnalyzerFault>] = [:]

  /// - Parameter folder: the path of thresholds/classifiers.
  init(folder: String) { self.folder = TextModelFolder(path: folder) }

  /// - Throws: `classifier`.
  func model(_ name: String) throws(AnalyzerFault) -> TextModel {
    if let known = known[name] { return try known.get() }
    let result: Result<TextModel, AnalyzerFault>
    do { result = .success(try folder.load(name)) } catch { result = .failure(error) }
    known[name] = result
    return try result.get()
  }
}
