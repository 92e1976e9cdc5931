// `samples import`: reads the file twice, first to find every faulty row, then to store. So a file
// with one faulty row leaves nothing behind, whatever its size.

import Contracts
import Metering
import Store

/// One file to import.
struct SampleImport {
  /// Texts of a transaction; a longer one would keep the gateway from its own writes.
  static let batchBytesMax = 16 << 20
  static let batchRowsMax = 5_000

  let file: String
  let app: String
  let mapping: SampleMapping
  /// When the samples are stored, and made where no column holds a time.
  let now: Timestamp
  var redactor = Redactor()

  /// Stores every sample of the file.
  /// - Returns: how many there are.
  /// - Throws: `ImportFault`; nothing is stored, but for `storedCount` samples of a fault of the
  ///   store half-way through a file that needs more than one transaction.
  func run(into store: StoreDatabase) throws(ImportFault) -> Int {
    let expected = try check(
      SampleReader(file: file, app: app, mapping: mapping, now: now, redactor: nil))
    let reader = try SampleReader(
      file: file, app: app, mapping: mapping, now: now, redactor: redactor)
    var storedCount = 0
    var batch: [SampleRecord] = []
    var batchBytes = 0
    do throws(ImportFault) {
      try reader.forEach { (row: Result<SampleRecord, SampleReader.RowFault>) throws(ImportFault) in
        guard case .success(let sample) = row else { throw changed() }
        batch.append(sample)
        batchBytes += sample.input.utf8.count + sample.output.utf8.count
        guard batchBytes >= Self.batchBytesMax || batch.count >= Self.batchRowsMax else { return }
        try insert(batch, into: store)
        storedCount += batch.count
        batch = []
        batchBytes = 0
      }
      try insert(batch, into: store)
      storedCount += batch.count
      guard storedCount == expected else { throw changed() }
    } catch {
      throw withCount(error, storedCount)
    }
    return storedCount
  }

  /// Reads the file without storing; how many samples it holds.
  private func check(_ reader: SampleReader) throws(ImportFault) -> Int {
    var count = 0
    var faults: [ImportFault.Row] = []
    var faultCount = 0
    try reader.forEach { (row: Result<SampleRecord, SampleReader.RowFault>) throws(ImportFault) in
      switch row {
      case .success: count += 1
      case .failure(let fault):
        faultCount += 1
        if faults.count < ImportFault.rowsMax { faults.append(fault.row) }
      }
    }
    guard faultCount == 0 else { throw ImportFault(rows: faults, of: faultCount, file: file) }
    guard count > 0 else {
      throw ImportFault(.format, "\(file) holds no sample", hint: "Is it the right file?")
    }
    return count
  }

  private func insert(_ batch: [SampleRecord], into store: StoreDatabase) throws(ImportFault) {
    do { try store.insertSamples(batch, storedAt: now) } catch {
      throw ImportFault(
        .store, "the samples of \(file) could not be stored: \(error.message)", hint: error.hint,
        isRetryable: error.isRetryable, cause: error.cause)
    }
  }

  private func changed() -> ImportFault {
    ImportFault(
      .unreadable, "\(file) changed while it was read",
      hint: "Import a copy that is not written to.")
  }

  private func withCount(_ fault: ImportFault, _ storedCount: Int) -> ImportFault {
    guard storedCount > 0 else { return fault }
    var counted = fault
    counted.storedCount = storedCount
    counted.message += "; \(storedCount) samples are stored already, do not import them twice"
    return counted
  }
}
