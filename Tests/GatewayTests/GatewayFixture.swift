// A whole gateway on a free port, with a real journal in a directory of its own.

import Crypto
import Foundation
import Logging
import Metering
import Store
import Synchronization
import Telemetry
import TestSupport

@testable import Gateway

/// Prices: 1,000 nanodollars an input token, 2,000 an output token.
enum TestPrice {
  static let book: PriceBook = {
    var book = PriceBook()
    let rates = Rates(input: 1_000_000_000, output: 2_000_000_000)
    let start = Timestamp(milliseconds: 0)
    book.add(
      ModelPrice(effectiveFrom: start, base: rates, outputTokensMax: 1_000), model: "gpt-test")
    for model in [
      "gpt-open", "gpt-4o-mini", "text-embedding-3-small", "mistral.x", "cohere.embed-x",
    ] {
      book.add(ModelPrice(effectiveFrom: start, base: rates), model: model)
    }
    book.add(
      ModelPrice(
        effectiveFrom: start, base: Rates(input: 100_000_000, output: 200_000_000),
        outputTokensMax: 500),
      model: "gpt-mini")
    book.addMedia(start)
    // Half of it in a batch, and twice on long calls.
    let half = Rates(input: 500_000_000, output: 1_000_000_000)
    let double = Rates(input: 2_000_000_000, output: 4_000_000_000)
    book.add(
      ModelPrice(
        effectiveFrom: start, base: rates,
        tiers: [.init(aboveInputTokens: 1_000, rates: double)], serviceTiers: ["batch": half],
        serviceContexts: ["batch": [.init(aboveInputTokens: 1_000, rates: rates)]]),
      model: "claude-test")
    let priority = Rates(input: 3_000_000_000, output: 6_000_000_000)
    book.add(
      ModelPrice(
        effectiveFrom: start, base: rates, serviceTiers: ["batch": half, "priority": priority]),
      model: "gpt-tiers")
    var voice = rates
    voice[.inputAudio] = 4_000_000_000
    voice[.cacheReadAudio] = 500_000_000
    voice[.outputAudio] = 8_000_000_000
    book.add(
      ModelPrice(
        effectiveFrom: start, base: voice, outputTokensMax: 100, inputTokensMax: 1_000),
      model: "gpt-voice")
    return book
  }()

  /// Nanodollars a character, a picture, a picture's token that comes out, a second of sound.
  static let character: Int64 = 15_000
  static let picture: Int64 = 30_000_000
  static let pictureToken: Int64 = 40_000
  static let pixel: Int64 = 80
  static let second: Int64 = 100_000

  static func cost(input: Int64, output: Int64) -> Money {
    Money(nanodollars: input * 1_000 + output * 2_000)
  }
}

extension PriceBook {
  fileprivate mutating func addMedia(_ start: Timestamp) {
    var speech = Rates()
    speech[.charactersIn] = TestPrice.character * 1_000_000
    var sound = Rates()
    sound[.audioInMilliseconds] = TestPrice.second * 1_000
    var picture = Rates()
    picture[.inputUncached] = 1_000_000_000
    picture[.outputImage] = TestPrice.pictureToken * 1_000_000
    var talk = picture
    talk[.outputAudio] = 1_000_000
    var canvas = Rates(input: 0, output: 0)
    canvas[.imagesOut] = TestPrice.picture * 1_000_000
    var sized = Rates()
    sized[.outputText] = 0
    sized[.pixelsOut] = TestPrice.pixel * 1_000_000
    var standard = sized
    standard[.pixelsOut] = TestPrice.pixel * 500_000
    alias("my-sized", of: "hd/1024-x-512/gpt-sized")
    for (model, rates) in [
      ("hd/1024-x-512/gpt-sized", sized), ("standard/1024-x-512/gpt-sized", standard),
      ("512-x-512/gpt-sized", sized), ("gpt-pixels", sized), ("8-x-9/gpt-pixels", standard),
      ("gpt-canvas", canvas), ("tts-1", speech), ("whisper-1", sound), ("gpt-image-1", picture),
      ("gpt-talk", talk),
    ] {
      add(ModelPrice(effectiveFrom: start, base: rates), model: model)
    }
  }
}

final class GatewayFixture: Sendable {
  static let key = "lw_test_0123456789"
  static let freeKey = "lw_free_0123456789"
  static let revokedKey = "lw_gone_0123456789"
  static let credential = "sk-provider-secret"

  let directory: TemporaryDirectory
  let database: StoreDatabase
  let journal: Journal
  let metrics: GatewayMetrics
  let gateway: GatewayService
  let crossings: Collected<BudgetCrossing>
  /// `APP CODING`, as the gateway told it.
  let codings: Collected<String>
  private let taken = Collected<LedgerEvent>()

  var port: Int { gateway.port }

  /// - Parameters:
  ///   - capNanodollars: the day's budget of app `team`; app `free` has none.
  ///   - policy: what else holds for app `team`.
  init(
    upstreamPort: Int, capNanodollars: Int64 = 1_000_000_000, sampleRate: Double = 0,
    models: [String]? = nil, freeModels: [String]? = nil, outputTokensDefault: Int64? = nil,
    directory: TemporaryDirectory? = nil,
    database: StoreDatabase? = nil, journalSettings: JournalSettings = JournalSettings(),
    upstreams: [GatewayUpstream]? = nil, isOpenAI: Bool = false,
    clock: TestClock = TestClock(),
    configure: (inout GatewayConfiguration) -> Void = { _ in },
    policy: (inout AppPolicy) -> Void = { _ in }
  ) async throws {
    let directory = try directory ?? TemporaryDirectory()
    let database = try database ?? Self.database()
    let opened = try Journal.open(
      directory: directory.path("journal"), settings: journalSettings,
      foldedThrough: try database.foldedThrough(), logger: Self.logger)
    var ledger = try database.checkpoint()
    for event in opened.tail { ledger.apply(event) }
    var configuration = GatewayConfiguration()
    configuration.port = 0
    configuration.loops = 2
    configuration.shutdownGraceSeconds = 5
    // Where the other tests keep all threads busy, the file is there long before anybody looks.
    configuration.batchInputSeconds = 600
    configure(&configuration)
    var apps = Self.apps(cap: capNanodollars, sampleRate: sampleRate, models: models)
    apps[1].policy.models = freeModels
    for index in apps.indices { apps[index].policy.outputTokensDefault = outputTokensDefault }
    policy(&apps[0].policy)
    let crossings = Collected<BudgetCrossing>()
    let codings = Collected<String>()
    var upstreams =
      upstreams ?? [
        GatewayUpstream(
          name: "main", dialect: .openai, isTLS: false, host: "127.0.0.1", port: upstreamPort,
          credential: Self.credential)
      ]
    for index in upstreams.indices {
      upstreams[index].prices = TestPrice.book
      upstreams[index].isOpenAI = isOpenAI
    }
    let metrics = GatewayMetrics(
      apps: apps.map(\.policy.app),
      upstreams: upstreams.map { UpstreamLabel(name: $0.name, provider: "openai") })
    gateway = try GatewayService(
      configuration: configuration, apps: apps, upstreams: upstreams,
      ledger: ledger, journal: opened.journal, metrics: metrics,
      callbacks: GatewayService.Callbacks(
        onCrossings: { crossings.append($0) },
        onUnreadableCoding: { codings.append(["\($0) \($1)"]) },
        storeSamples: { try database.insertSamples($0, storedAt: Self.now) },
        loadKeys: { try database.keys() }, clock: { clock.now }),
      logger: Self.logger)
    self.directory = directory
    self.database = database
    self.metrics = metrics
    self.crossings = crossings
    self.codings = codings
    journal = opened.journal
    try await gateway.start()
  }

  static let now = Timestamp(milliseconds: 1_795_000_000_000)

  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private static func database() throws -> StoreDatabase {
    let database = try StoreDatabase.inMemory()
    for (app, key) in [("team", key), ("free", freeKey), ("team", revokedKey)] {
      let hash = SHA256.hash(data: Array(key.utf8)).map { String(format: "%02x", $0) }.joined()
      let record = try database.issueKey(
        app: app, hashHex: hash, hint: "lw_…", label: "test", at: now)
      if key == revokedKey { try database.revokeKey(id: record.id, at: now) }
    }
    return database
  }

  private static func apps(cap: Int64, sampleRate: Double, models: [String]?) -> [GatewayApp] {
    let window = WindowEdges(
      start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: .max), id: "always",
      endText: "the end of time")
    let budget = Budget(id: "day", cap: Money(nanodollars: cap), windows: [window])
    return [
      GatewayApp(
        policy: AppPolicy(app: "team", budgets: [budget], models: models), upstream: "main",
        sampleRate: sampleRate),
      GatewayApp(policy: AppPolicy(app: "free", budgets: []), upstream: "main"),
    ]
  }

  // MARK: Calling

  /// A chat completion request of app `team`.
  static func request(
    _ body: String, key: String = key, path: String = "/v1/chat/completions",
    headers: String = ""
  ) -> String {
    "POST \(path) HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer \(key)\r\n"
      + "Content-Type: application/json\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n"
      + body
  }

  static let body =
    #"{"model":"gpt-test","max_completion_tokens":20,"messages":[{"role":"user","content":"hi"}]}"#

  static let streamBody =
    #"{"model":"gpt-test","max_completion_tokens":20,"stream":true,"#
    + #""messages":[{"role":"user","content":"hi"}]}"#

  /// Sends one request on a connection of its own and reads one answer. It waits long: some answers
  /// need Swift's own threads, which tests that only compute keep busy.
  func call(_ request: String) async throws -> RawAnswer {
    let port = port
    return try await onThread {
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      try socket.send(request)
      return try socket.answer()
    }
  }

  // MARK: Looking

  /// A balance in money.
  struct Balance: Equatable {
    var settled = Money.zero
    var reserved = Money.zero
  }

  var account: Balance {
    let account = gateway.ledger.account(
      AccountID(app: "team", budget: "day", window: "always"))
    return Balance(settled: account.settled.money, reserved: account.reserved.money)
  }

  /// All events that the journal has, decoded from its files.
  func events() throws -> [LedgerEvent] {
    while true {
      let events = try journal.takeUnfolded(max: 10_000)
      guard let last = events.last else { return taken.all }
      taken.append(events)
      try journal.folded(through: last.sequence)
    }
  }

  /// The one settlement of the one call of a test.
  func settlement() throws -> LedgerEvent.Settled? {
    for event in try events() { if case .settled(let settled) = event.kind { return settled } }
    return nil
  }

  /// Waits until no call is open.
  func quiet() async throws { try await eventually { self.gateway.ledger.open.isEmpty } }

  func stop() async throws {
    try await gateway.stop()
    try journal.close()
  }
}

/// Waits up to ten seconds for a condition.
func eventually(_ condition: @escaping @Sendable () throws -> Bool) async throws {
  for _ in 0..<1_000 {
    if try condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  throw SocketFault("the condition did not come true")
}

/// A clock that stands until a test moves it.
final class TestClock: Sendable {
  private let time = Mutex(GatewayFixture.now)

  var now: Timestamp { time.withLock { $0 } }

  func advance(milliseconds: Int64) {
    time.withLock { $0 = $0.adding(milliseconds: milliseconds) }
  }
}

/// Values gathered from several threads.
final class Collected<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])

  func append(_ more: [Value]) { values.withLock { $0 += more } }

  var all: [Value] { values.withLock { $0 } }
}
