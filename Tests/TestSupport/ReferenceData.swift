// Published data sets that a few tests compare against. They are large, so they are not in the
// repository: a test that needs one skips with a reason where it is absent.

import Foundation

/// The folder of reference data, named by the environment variable `LEEWAY_REFERENCE_DATA`.
public enum ReferenceData {
  public static let variable = "LEEWAY_REFERENCE_DATA"

  /// The folder; nil where the variable is unset or names no folder.
  public static var url: URL? {
    guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty else {
      return nil
    }
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    return exists && isDirectory.boolValue ? URL(fileURLWithPath: path, isDirectory: true) : nil
  }

  /// For `.enabled(if: ReferenceData.isPresent, ReferenceData.skipReason)`.
  public static var isPresent: Bool { url != nil }

  /// What to say where it is absent.
  public static var skipReason: String {
    "set \(variable) to the folder of reference data to run this test"
  }

  /// A file or folder in the reference data; nil where it is absent.
  public static func file(_ path: String) -> URL? {
    guard let file = url?.appendingPathComponent(path) else { return nil }
    return FileManager.default.fileExists(atPath: file.path) ? file : nil
  }
}
