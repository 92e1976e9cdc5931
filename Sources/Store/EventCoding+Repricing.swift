// A repricing as the payload of a journal record.
//
// Calls ascend, so that the step to the next is written and not its number: a byte or two.

internal import Metering

extension Repricing {
  /// At least as many bytes as `encode` writes.
  var payloadBytesMax: Int {
    let charges = charges.count * 2 * ByteWriter.integerBytesMax
    return differences.reduce(3 * ByteWriter.integerBytesMax + charges) { bytes, difference in
      let account = difference.account
      return bytes + account.scope.text.utf8.count + account.budget.utf8.count
        + account.window.utf8.count + 4 * ByteWriter.integerBytesMax
    }
  }

  func encode(to writer: inout ByteWriter) {
    writer.signed(number)
    writer.unsigned(UInt64(charges.count))
    var last: UInt64 = 0
    for charge in charges {
      writer.unsigned(charge.call.number &- last)
      writer.signed(charge.charge.nanodollars)
      last = charge.call.number
    }
    writer.unsigned(UInt64(differences.count))
    for difference in differences {
      writer.text(difference.account.scope.text)
      writer.text(difference.account.budget)
      writer.text(difference.account.window)
      writer.signed(difference.amount.nanodollars)
    }
  }

  init(_ reader: inout ByteReader) throws(ByteReader.Malformed) {
    self.init(number: try reader.signed(), charges: [], differences: [])
    var last: UInt64 = 0
    for _ in 0..<(try reader.unsigned()) {
      last &+= try reader.unsigned()
      charges.append(
        Charge(call: CallID(last), charge: Money(nanodollars: try reader.signed())))
    }
    for _ in 0..<(try reader.unsigned()) {
      let account = AccountID(
        scope: BudgetScope(text: try reader.text()), budget: try reader.text(),
        window: try reader.text())
      differences.append(
        Difference(account: account, amount: Money(nanodollars: try reader.signed())))
    }
  }
}
