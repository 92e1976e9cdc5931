// What a request's head asks for: which app, which upstream, which path, and whether that may be.
//
// The head stays as bytes: fields that go on are copied as ranges, and no string is made of them.
// A class, since the request, the answer and the call all look at it: none of them copies it.

import Crypto
import Metering
import NIOCore
import Providers
import Wire

/// A request's head, read and looked up. Nobody changes it once it is read.
final class RequestPlan {
  /// The bytes that all ranges count from.
  let headBytes: ByteBuffer
  let head: RequestHead
  /// Index of the upstream; 0 where `denial` says that there is none.
  var upstream = 0
  var hasUpstream = false
  /// The path behind the upstream's name, without the query.
  var path: Range<Int>
  var endpoint = Endpoint.unmetered
  /// See `Endpoint.namesFiles`.
  var namesFiles = false
  /// See `Endpoint.linksResults`.
  var linksResults = false
  /// The wire format that the caller understands.
  var dialect = DialectID.openai
  /// Index of the app; nil where its key is not known.
  var app: Int?
  /// The key's row in the store.
  var key: Int64 = 0
  /// What the call draws on besides; see `AdmissionRequest`.
  var environment = ""
  var user = BudgetScope.nobody
  var tags: TagSet = []
  /// The parameter of the query that carried the key, with one of its separators: not sent on.
  var keyParameter: Range<Int>?
  /// The first rule that the head broke.
  var denial: Denial?

  init(headBytes: ByteBuffer, head: RequestHead, path: Range<Int>) {
    self.headBytes = headBytes
    self.head = head
    self.path = path
  }

  /// What a metered call asks for; nil for others.
  var operation: Operation? {
    if case .metered(let operation) = endpoint { operation } else { nil }
  }
  /// The call opens a WebSocket.
  var isSocket: Bool { operation?.isSocket == true }
  /// The path behind the upstream's name, and the query.
  var pathAndQuery: Range<Int> { path.lowerBound..<(head.query?.upperBound ?? path.upperBound) }
  var isHead: Bool { head.method == .head }
  var isOldVersion: Bool { head.minorVersion == 0 }
  var keepsAlive: Bool { head.keepAlive }
  var expectsContinue: Bool { head.expectsContinue }

  /// The path for people; never the query, which may hold a key.
  var pathText: String {
    headBytes.withUnsafeReadableBytes { String(decoding: $0[path].prefix(256), as: UTF8.self) }
  }

  /// Takes a whole head off the inbox; nil where it is not all there yet.
  static func read(
    from inbox: inout ByteBuffer, progress: inout HeadProgress, memo: inout KeyMemo,
    core: GatewayCore
  ) throws(WireFault) -> RequestPlan? {
    let parsed = inbox.withUnsafeReadableBytes { bytes -> Result<RequestHead?, WireFault> in
      do throws(WireFault) {
        return .success(
          try RequestHead.parse(bytes, limits: core.limits, progress: &progress))
      } catch {
        return .failure(error)
      }
    }
    guard let head = try parsed.get(), let bytes = inbox.readSlice(length: head.byteCount)
    else { return nil }
    let plan = RequestPlan(headBytes: bytes, head: head, path: head.path)
    bytes.withUnsafeReadableBytes { plan.decide($0, memo: &memo, core: core) }
    return plan
  }

  /// Key first, then upstream: a stranger learns nothing of what is configured.
  private func decide(
    _ bytes: UnsafeRawBufferPointer, memo: inout KeyMemo, core: GatewayCore
  ) {
    authenticate(bytes, memo: &memo, keys: core.keys)
    let named = chooseUpstream(bytes, core: core)
    dialect = DialectID.guess(
      path: UnsafeRawBufferPointer(rebasing: bytes[path]), signs: signs,
      fallback: named ? core.upstreams[upstream].dialect : .openai)
    guard named else { return }
    hasUpstream = true
    if denial == nil, let app { readScopes(bytes, of: core.scopes[app], userKey: core.userKey) }
    if denial == nil, let variable = core.upstreams[upstream].missingCredential {
      denial = .credentialMissing(upstream: core.upstreams[upstream].name, variable: variable)
    }
    endpoint = Endpoint.classify(
      dialect: core.upstreams[upstream].dialect,
      method: UnsafeRawBufferPointer(rebasing: bytes[head.methodRange]),
      path: UnsafeRawBufferPointer(rebasing: bytes[path]))
    namesFiles = endpoint.namesFiles(UnsafeRawBufferPointer(rebasing: bytes[path]))
    linksResults = endpoint.linksResults(UnsafeRawBufferPointer(rebasing: bytes[path]))
    if head.hasUpgrade { chooseSocket(bytes, dialect: core.upstreams[upstream].dialect) }
  }

  private func readScopes(
    _ bytes: UnsafeRawBufferPointer, of scopes: CallScopes, userKey: SymmetricKey
  ) {
    guard let user = scopes.user(in: head, bytes, key: userKey) else {
      denial = .requestInvalid(message: CallScopes.userMessage)
      return
    }
    guard let tags = scopes.tags(in: head, bytes) else {
      denial = .requestInvalid(message: scopes.tagMessage)
      return
    }
    (self.user, self.tags) = (user, tags)
  }

  /// A request for a WebSocket that is known; any other upgrade is not passed on.
  private func chooseSocket(_ bytes: UnsafeRawBufferPointer, dialect: DialectID) {
    guard head.method == .get, head.minorVersion == 1,
      let upgrade = head.fields.first(.upgrade), Self.isWebSocket(bytes[upgrade]),
      let operation = Endpoint.socket(
        dialect: dialect, path: UnsafeRawBufferPointer(rebasing: bytes[path]))
    else { return }
    endpoint = .metered(operation)
  }

  private static func isWebSocket(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    let name: StaticString = "websocket"
    return bytes.count == name.utf8CodeUnitCount
      && zip(bytes, 0...).allSatisfy { byte, index in byte | 0x20 == name.utf8Start[index] }
  }

  private var signs: DialectSigns {
    var signs: DialectSigns = []
    if head.fields.present.contains(.anthropicVersion) { signs.insert(.anthropicVersion) }
    if head.fields.present.contains(.xGoogAPIKey) { signs.insert(.googKey) }
    return signs
  }

  // MARK: Key

  private func authenticate(
    _ bytes: UnsafeRawBufferPointer, memo: inout KeyMemo, keys: KeyTable
  ) {
    var found: Range<Int>?
    var hasConflict = false
    func note(_ range: Range<Int>) {
      guard !range.isEmpty else { return }
      if let found, !bytes[found].elementsEqual(bytes[range]) { hasConflict = true }
      if found == nil { found = range }
    }
    for slice in head.fields.slices {
      switch slice.field {
      case .authorization:
        if let key = Self.bearer(bytes, slice.value) { note(key) }
      case .xAPIKey, .apiKey, .xGoogAPIKey: note(slice.value)
      default: continue
      }
    }
    if let query = head.query, let parameter = Self.keyParameter(bytes, query) {
      keyParameter = parameter.whole
      note(parameter.value)
      // A second one would go upstream with the rest of the query.
      let rest = parameter.value.upperBound..<query.upperBound
      if Self.keyParameter(bytes, rest) != nil { hasConflict = true }
    }
    if hasConflict {
      denial = .keysConflict
    } else if let found {
      let key = UnsafeRawBufferPointer(rebasing: bytes[found])
      guard let entry = memo.entry(of: key, in: keys) else {
        denial = .keyUnknown
        return
      }
      guard !entry.isRevoked else {
        denial = .keyRevoked
        return
      }
      app = entry.app
      self.key = entry.key
      environment = entry.environment
    } else {
      denial = .keyMissing
    }
  }

  /// What stands behind `Bearer `, in any case of letters; nil for another scheme.
  private static func bearer(
    _ bytes: UnsafeRawBufferPointer, _ value: Range<Int>
  ) -> Range<Int>? {
    let scheme: StaticString = "bearer "
    let count = scheme.utf8CodeUnitCount
    guard value.count > count else { return nil }
    for offset in 0..<count {
      var byte = bytes[value.lowerBound + offset]
      if byte >= 0x41, byte <= 0x5A { byte |= 0x20 }
      if byte != scheme.utf8Start[offset] { return nil }
    }
    var start = value.lowerBound + count
    while start < value.upperBound, bytes[start] == 0x20 { start += 1 }
    return start..<value.upperBound
  }

  /// The first `key=…` of a query: its value, and what to leave out so that the rest stays a query.
  private static func keyParameter(
    _ bytes: UnsafeRawBufferPointer, _ query: Range<Int>
  ) -> (value: Range<Int>, whole: Range<Int>)? {
    let name: StaticString = "key="
    var start = query.lowerBound
    while start < query.upperBound {
      let end = (start..<query.upperBound).first { bytes[$0] == UInt8(ascii: "&") }
      let parameter = start..<(end ?? query.upperBound)
      if parameter.count >= 4, (0..<4).allSatisfy({ bytes[start + $0] == name.utf8Start[$0] }) {
        let value = (start + 4)..<parameter.upperBound
        if let end { return (value, start..<end + 1) }
        // The last one takes the separator before it along: `&`, or the question mark.
        return (value, start - 1..<parameter.upperBound)
      }
      start = parameter.upperBound + 1
    }
    return nil
  }

  // MARK: Upstream

  /// `/NAME/…` names an upstream; a bare `/v1…` takes the app's own. False: there is none.
  private func chooseUpstream(
    _ bytes: UnsafeRawBufferPointer, core: GatewayCore
  ) -> Bool {
    let start = head.path.lowerBound + 1
    guard start <= head.path.upperBound else { return deny(upstreamNamed: "") }
    let end =
      (start..<head.path.upperBound).first { bytes[$0] == UInt8(ascii: "/") }
      ?? head.path.upperBound
    let segment = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    for (index, candidate) in core.upstreams.enumerated()
    where candidate.name.utf8.elementsEqual(segment) {
      upstream = index
      path = end..<head.path.upperBound
      return true
    }
    if segment.starts(with: [UInt8(ascii: "v"), UInt8(ascii: "1")]) {
      // Without an app there is a denial already, and any upstream's dialect will do for it.
      upstream = app.map { core.upstreamOfApp[$0] } ?? 0
      return !core.upstreams.isEmpty
    }
    return deny(upstreamNamed: String(decoding: segment.prefix(64), as: UTF8.self))
  }

  private func deny(upstreamNamed name: String) -> Bool {
    if denial == nil { denial = .upstreamUnknown(name: name) }
    return false
  }
}
