// What a call's head says of the scopes that it draws on: its end user and its tags.
//
// Neither goes on to the provider. An end user is hashed at once, with a key of this installation:
// the name is in no journal, no store and no log. The key lies in the store, so that whoever has a
// copy of it can try names; whoever has the journal, a report or the metrics cannot.

import Crypto
import Metering
import Wire

/// What the gateway needs to know of an app's budgets to read its calls' scopes.
struct CallScopes: Sendable {
  let app: String
  let tags: [String]
  /// Some budget is each user's.
  let isByUser: Bool

  init(_ policy: AppPolicy) {
    app = policy.app
    tags = policy.tags
    isByUser = policy.budgets.contains { $0.holder == .eachUser }
  }

  /// The longest name of an end user that is taken, in bytes.
  static let userBytesMax = 128

  /// The end user under a name that says nothing of the person; who is not named shares one purse
  /// with all that are not. Nil: the header cannot be taken.
  func user(
    in head: RequestHead, _ bytes: UnsafeRawBufferPointer, key: SymmetricKey
  ) -> String? {
    guard isByUser, head.fields.present.contains(.xLeewayUser) else { return BudgetScope.nobody }
    var found: Range<Int>?
    for slice in head.fields.slices where slice.field == .xLeewayUser {
      if let found, !bytes[found].elementsEqual(bytes[slice.value]) { return nil }
      found = slice.value
    }
    guard let found, !found.isEmpty else { return BudgetScope.nobody }
    guard found.count <= Self.userBytesMax else { return nil }
    var hash = HMAC<SHA256>(key: key)
    // Users of two apps are not to be recognised as one; no app's name has a zero byte.
    hash.update(data: Array(app.utf8) + [0])
    hash.update(data: UnsafeRawBufferPointer(rebasing: bytes[found]))
    let digits = Array("0123456789abcdef".utf8)
    let text = hash.finalize().prefix(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }

  /// The tags, separated by commas or in headers of their own. Nil: one is not declared, and nobody
  /// is to make up a purse.
  func tags(in head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> TagSet? {
    guard head.fields.present.contains(.xLeewayTag) else { return [] }
    var found: TagSet = []
    for slice in head.fields.slices where slice.field == .xLeewayTag {
      for part in bytes[slice.value].split(separator: UInt8(ascii: ",")) {
        let tag = part.drop { $0 == 0x20 || $0 == 0x09 }
        let end = tag.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? tag.startIndex
        guard let place = tags.firstIndex(where: { $0.utf8.elementsEqual(tag[..<end]) })
        else { return nil }
        found.insert(TagSet(place: place))
      }
    }
    return found
  }

  static let userMessage =
    "The header x-leeway-user must name one end user, in at most \(userBytesMax) bytes."

  var tagMessage: String {
    tags.isEmpty
      ? "The header x-leeway-tag carries a tag, and this app declares none. Its owner declares "
        + "tags in the app's file in thresholds/."
      : "The header x-leeway-tag carries a tag that this app does not declare. Declared: "
        + tags.joined(separator: ", ") + "."
  }
}

extension AdmissionRequest {
  /// What admission is asked of a call.
  ///
  /// - Parameter bound: in place of the estimate's.
  init(
    app: Int, plan: RequestPlan, estimate: CallEstimate, bound: CostBound, core: GatewayCore
  ) {
    self.init(
      app: app, key: plan.key,
      upstream: plan.hasUpstream ? core.upstreams[plan.upstream].name : "",
      model: estimate.model, isStream: estimate.isStream, bound: bound)
    otherModels = estimate.otherModels
    families = estimate.families
    environment = plan.environment
    user = plan.user
    tags = plan.tags
    isBatch = estimate.jobKind?.hasResults == true
    isHeldWhole = estimate.jobKind != nil || plan.isSocket
    switch plan.endpoint {
    case .free, .stored: (tokens, calls) = (0, 0)
    case .metered:
      calls = estimate.requests
      if estimate.boundsTokens {
        tokens = estimate.outputTokens.map { estimate.inputTokens.addingClamped($0) }
      }
    case .unmetered: break
    }
  }
}
