// Where reports lie: reports/DATE/APP.{html,json,md} and an index. The index is written last, so a
// night that has one is complete.

import Foundation
import Metering

/// The folder of reports.
public struct ReportFolder: Hashable, Sendable {
  public let path: String

  /// - Parameter path: as in "reports".
  public init(path: String) { self.path = path }

  /// Path of a file, relative to the folder.
  static func name(_ night: String, _ app: String, _ ending: String) -> String {
    "\(night)/\(app).\(ending)"
  }

  /// Writes the three forms of a report; returns the page's path within the folder.
  @discardableResult
  public func write(_ report: DriftReport, under night: String) throws(AnalyzerFault) -> String {
    guard BaselineFolder.isFileName(report.app) else {
      throw AnalyzerFault(
        .name, "'\(report.app)' cannot be the name of a report's file",
        hint: "Name apps with letters, digits, '.', '_' and '-'.")
    }
    let page = Self.name(night, report.app, "html")
    try writeWhole(try report.json(), to: "\(path)/" + Self.name(night, report.app, "json"))
    try writeWhole(
      Data(ReportText.markdown(report).utf8), to: "\(path)/" + Self.name(night, report.app, "md"))
    try writeWhole(Data(try ReportPage.html(report).utf8), to: "\(path)/\(page)")
    return page
  }

  func writeIndex(_ night: ReportPage.Night) throws(AnalyzerFault) {
    let html = try ReportPage.index(night)
    try writeWhole(Data(html.utf8), to: "\(path)/\(night.date)/index.html")
  }

  /// Whether a night was run to its end.
  public func isComplete(_ night: CivilDate) -> Bool {
    FileManager.default.fileExists(atPath: "\(path)/\(night)/index.html")
  }

  /// The last night that was run to its end, before a date.
  func lastComplete(before date: CivilDate) -> CivilDate? {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return entries.compactMap { CivilDate($0) }.filter { $0 < date && isComplete($0) }.max()
  }
}
