// A directory of one test's own, gone when the test is.

import Foundation

/// An empty directory that is removed with all its content when the last reference goes.
///
/// Keep the value alive while the directory is in use, or use `withTemporaryDirectory`.
public final class TemporaryDirectory: Sendable {
  public let url: URL

  public init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("leeway-test-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  public var path: String { url.path }

  /// The path of a file in the directory; the file need not exist.
  public func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Writes a text file, with the folders that its name needs; returns its path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file.path
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}

/// Runs the body with an empty directory, which is removed at the end whatever happens.
public func withTemporaryDirectory<Result>(
  _ body: (TemporaryDirectory) throws -> Result
) throws -> Result {
  let directory = try TemporaryDirectory()
  return try withExtendedLifetime(directory) { try body(directory) }
}

/// As above, for a body that awaits.
public func withTemporaryDirectory<Result>(
  isolation: isolated (any Actor)? = #isolation,
  _ body: (TemporaryDirectory) async throws -> Result
) async throws -> Result {
  let directory = try TemporaryDirectory()
  let result = try await body(directory)
  return withExtendedLifetime(directory) { result }
}
