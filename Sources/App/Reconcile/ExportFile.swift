// A provider's export from files: pages of JSON or a table, told by what they hold, not by name.

import Foundation

enum ExportFile {
  static let bytesMax = 256 << 20

  /// Reads files as one export, each of them whole or none.
  /// - Parameter progress: told the bytes done and in all, now and then.
  static func read(
    _ files: [String], progress: (Int, Int) -> Void = { _, _ in }
  ) throws(ReconcileFault) -> ProviderExport {
    var assembly = ExportAssembly()
    for file in files {
      let bytes = try bytes(of: file)
      let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
      switch first {
      case nil:
        throw ReconcileFault(
          "the file is empty", at: ReconcileFault.Place(file: file),
          hint: "Fetch the export again.")
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        var documents = ExportDocuments(bytes, file: file)
        while let document = try documents.next() {
          var page = try ExportPages(document)
          try page.read(into: &assembly)
          progress(documents.done, bytes.count)
        }
      default:
        var table = try ExportTable(file: file)
        try table.read(into: &assembly) { progress($0, bytes.count) }
        if ![0x0A, 0x0D].contains(bytes.last) {
          assembly.note("\(file) does not end in a line feed: check that it is not cut off.")
        }
      }
    }
    return try assembly.export(of: files)
  }

  private static func bytes(of file: String) throws(ReconcileFault) -> [UInt8] {
    let place = ReconcileFault.Place(file: file)
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: file), options: .mappedIfSafe) } catch {
      throw ReconcileFault(
        "the file cannot be read", at: place, hint: "Check that it is a file you may read.")
    }
    guard data.count <= bytesMax else {
      throw ReconcileFault(
        "the file is larger than 256 MiB", at: place, hint: "Ask for a shorter span.")
    }
    return [UInt8](data)
  }
}
