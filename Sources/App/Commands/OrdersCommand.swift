// What was ordered, by whom and why: the record of caps, isolations, restores and keys.

import ArgumentParser
import Metering
import Store

struct OrdersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orders", abstract: "Show who stopped, restored or re-keyed an app, and why.",
    discussion: "Example:  leeway orders --app support")

  @OptionGroup var policy: PolicyOptions
  @Option(help: "Only this app's.") var app: String?
  @Option(help: "How many, of the latest.") var last = 50
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard (1...100_000).contains(last) else {
      throw ValidationError("--last is a number of orders, 1 to 100000.")
    }
  }

  func run() throws {
    let settings = try policy.load()
    let store = try Installation.openStore(settings.gateway)
    let orders = try store.latestOrders(app: app, limit: last)
    if json { return try Console.json(orders.map(Row.init)) }
    Console.table(
      ["ORDER", "AT", "BY", "WHAT", "APP", "WHY"],
      orders.map { order in
        let row = Row(order)
        return [String(row.order), row.at, row.by, row.action, row.app ?? "-", row.reason]
      }, rightAligned: [0])
  }

  private struct Row: Encodable {
    var order: Int64
    var at: String
    var by: String
    var action: String
    var app: String?
    var reason: String

    init(_ record: OrderRecord) {
      order = record.sequence
      at = Moment.text(record.at)
      by = record.actor
      action = record.action.name
      app = record.action.app
      reason = record.reason
    }
  }
}
