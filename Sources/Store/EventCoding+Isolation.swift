// An isolation as the payload of a journal record.

internal import Metering

extension Isolation {
  func encode(of app: String, to writer: inout ByteWriter) {
    writer.text(app)
    writer.signed(order)
    writer.text(actor)
    writer.text(reason)
  }

  static func event(_ reader: inout ByteReader) throws(ByteReader.Malformed) -> LedgerEvent.Kind {
    let app = try reader.text()
    return .isolated(
      app: app,
      Isolation(
        order: try reader.signed(), actor: try reader.text(), reason: try reader.text()))
  }
}
