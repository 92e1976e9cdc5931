// Applies repricings to the gateway, each once all that was repriced before it is in the tables.

import Gateway
import Metering
import Store

/// Applies the store's repricings to the gateway, in their sequence.
final class RepricingDesk: Sendable {
  private let gateway: GatewayService
  private let store: StoreDatabase

  init(gateway: GatewayService, store: StoreDatabase) {
    self.gateway = gateway
    self.store = store
  }

  /// Applies the next repricing where the fold has caught up; the others wait for a turn.
  func applyReady() throws {
    let last = gateway.lastRepricing
    guard try store.foldedThrough() >= gateway.repricedSequence,
      let repricing = try store.nextRepricing(after: last)
    else { return }
    try gateway.apply(repricing)
  }
}
