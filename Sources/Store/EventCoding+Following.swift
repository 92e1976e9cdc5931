// A followed job as the rest of a journal record's payload.

internal import Metering

extension FollowedJob {
  /// At least as many bytes as `encode` writes.
  var payloadBytesMax: Int {
    upstream.utf8.count + path.utf8.count + id.utf8.count + model.utf8.count
      + (serviceTier?.utf8.count ?? 0)
  }

  func encode(to writer: inout ByteWriter) {
    let most = LedgerEvent.nameBytesMax
    writer.byte(kind.rawValue)
    writer.text(upstream, bytesMax: most)
    writer.text(path, bytesMax: most)
    writer.text(id, bytesMax: most)
    writer.text(model, bytesMax: most)
    writer.byte(serviceTier == nil ? 0 : 1)
    if let serviceTier { writer.text(serviceTier, bytesMax: most) }
    writer.signed(inputTokens)
    writer.byte(outputTokens == nil ? 0 : 1)
    if let outputTokens { writer.signed(outputTokens) }
    writer.unsigned(UInt64(status))
    writer.signed(startedAt.milliseconds)
    writer.signed(deadline.milliseconds)
  }

  /// A kind that is not known comes from a newer version: nobody here could follow it.
  init(_ reader: inout ByteReader) throws(ByteReader.Malformed) {
    guard let kind = Kind(rawValue: try reader.byte()) else { throw ByteReader.Malformed() }
    let (upstream, path) = (try reader.text(), try reader.text())
    let (id, model) = (try reader.text(), try reader.text())
    let tier = try LedgerEvent.flag(&reader) ? try reader.text() : nil
    let input = try reader.signed()
    let output = try LedgerEvent.flag(&reader) ? try reader.signed() : nil
    let status = try LedgerEvent.status(&reader)
    self.init(
      kind: kind, upstream: upstream, path: path, id: id, model: model, serviceTier: tier,
      inputTokens: input, outputTokens: output, status: status,
      startedAt: Timestamp(milliseconds: try reader.signed()))
    deadline = Timestamp(milliseconds: try reader.signed())
  }
}
