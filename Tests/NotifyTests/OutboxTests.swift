// From a row in the store to a real receiver, exactly once, through failures and restarts.

import Curl
import Foundation
import Logging
import Metering
import Store
import Synchronization
import TestSupport
import Testing

@testable import Notify

/// A clock that stands until it is moved.
final class TestClock: Sendable {
  private let time = Mutex(Timestamp(milliseconds: 1_795_421_109_000))
  var now: Timestamp { time.withLock { $0 } }
  func advance(seconds: Int) {
    time.withLock { $0 = $0.adding(milliseconds: Int64(seconds) * 1000) }
  }
}

/// Answers from a script and counts.
final class ScriptedNotifier: Notifier {
  private let state: Mutex<(sent: [String], faults: [NotifyFault])>

  init(faults: [NotifyFault] = []) { state = Mutex((sent: [], faults: faults)) }

  var sent: [String] { state.withLock { $0.sent } }

  func send(_ alert: AlertRow, to address: String) async throws(NotifyFault) {
    let fault: NotifyFault? = state.withLock { state in
      state.sent.append(alert.key)
      return state.faults.isEmpty ? nil : state.faults.removeFirst()
    }
    if let fault { throw fault }
  }
}

@Suite struct OutboxTests {
  let clock = TestClock()

  private func alert(_ key: String, title: String = "Budget at 80 %") -> AlertRow {
    AlertRow(
      key: key, app: "shop", kind: "budget", severity: "warning", title: title,
      body: "Spent $8.01 of $10.00.\n.A line that begins with a dot.", at: clock.now)
  }

  private func outbox(
    _ store: StoreDatabase, _ notifiers: [Channel: any Notifier],
    settings: OutboxSettings = OutboxSettings(), logger: Logger = .quiet
  ) -> Outbox {
    let clock = clock
    return Outbox(
      store: store, notifiers: notifiers, settings: settings, now: { clock.now }, logger: logger)
  }

  private func state(_ store: StoreDatabase, _ key: String) throws -> DeliveryRow {
    try #require(try store.deliveries(alertKey: key).first)
  }

  private let busy = NotifyFault(.receiverBusy, "busy", hint: "", isRetryable: true)
  private let refused = NotifyFault(.refused, "no", hint: "", isRetryable: false)

  @Test func anAlertIsOneLineOfTheLog() async throws {
    let log = LogLines()
    let notifier = LogNotifier(logger: Logger(label: "log-test") { _ in log })
    try await notifier.send(alert("k", title: "one\r\ntwo\u{1B}[2J"), to: "")
    #expect(log.text.hasSuffix("\n") && log.text.filter(\.isNewline).count == 1)
    #expect(log.text.contains("one two\u{FFFD}[2J"))
    #expect(log.text.contains("Spent $8.01 of $10.00. .A line that begins with a dot."))
  }

  @Test func deliversOnceAndRaisingAgainDoesNothing() async throws {
    let store = try StoreDatabase.inMemory()
    let notifier = ScriptedNotifier()
    let outbox = outbox(store, [.webhook: notifier])
    for _ in 0..<3 {
      try store.enqueueAlert(alert("a"), deliveries: [("webhook", "http://x/")])
      await outbox.deliverDue()
      clock.advance(seconds: 3600)
    }
    #expect(notifier.sent == ["a"])
    #expect(try state(store, "a").state == .delivered)
    #expect(await outbox.deliverDue() == 0)
  }

  @Test func aRetryWaitsAndThenSucceeds() async throws {
    let store = try StoreDatabase.inMemory()
    let notifier = ScriptedNotifier(faults: [busy, busy])
    let outbox = outbox(store, [.webhook: notifier])
    try store.enqueueAlert(alert("a"), deliveries: [("webhook", "http://x/")])
    #expect(await outbox.deliverDue() == 1)
    #expect(await outbox.deliverDue() == 0)
    let first = try state(store, "a")
    #expect(first.state == .pending)
    #expect(first.nextAttemptAt > clock.now)
    #expect(first.lastError.contains("busy"))
    clock.advance(seconds: 3)
    #expect(await outbox.deliverDue() == 1)
    clock.advance(seconds: 3)
    #expect(await outbox.deliverDue() == 0)
    clock.advance(seconds: 3)
    #expect(await outbox.deliverDue() == 1)
    #expect(notifier.sent.count == 3)
    let last = try state(store, "a")
    #expect(last.state == .delivered)
    #expect(last.attempts == 3)
    #expect(last.lastError == "")
  }

  @Test func whatTheReceiverAsksForIsKept() async throws {
    let store = try StoreDatabase.inMemory()
    var fault = busy
    fault.retryAfterSeconds = 120
    let outbox = outbox(store, [.webhook: ScriptedNotifier(faults: [fault])])
    try store.enqueueAlert(alert("a"), deliveries: [("webhook", "http://x/")])
    await outbox.deliverDue()
    #expect(try state(store, "a").nextAttemptAt == clock.now.adding(milliseconds: 120_000))
  }

  @Test func aRefusalEndsItAndOthersGoOn() async throws {
    let store = try StoreDatabase.inMemory()
    let mail = ScriptedNotifier()
    let outbox = outbox(
      store, [.webhook: ScriptedNotifier(faults: [refused]), .email: mail])
    try store.enqueueAlert(
      alert("a"), deliveries: [("webhook", "http://x/"), ("email", "a@b")])
    await outbox.deliverDue()
    let states = try store.deliveries(alertKey: "a").map(\.state)
    #expect(states == [.abandoned, .delivered])
    #expect(mail.sent == ["a"])
  }

  @Test func aDayOfFailuresIsTheEnd() async throws {
    let store = try StoreDatabase.inMemory()
    let notifier = ScriptedNotifier(faults: Array(repeating: busy, count: 10_000))
    let outbox = outbox(store, [.webhook: notifier])
    try store.enqueueAlert(alert("a"), deliveries: [("webhook", "http://x/")])
    for _ in 0..<(26 * 12) {
      await outbox.deliverDue()
      clock.advance(seconds: 300)
    }
    #expect(try state(store, "a").state == .abandoned)
    // At most every 15 minutes once the pauses have grown.
    #expect(notifier.sent.count > 50 && notifier.sent.count < 130)
  }

  @Test func aChannelThatIsNotSetUpWaitsForItsSetUp() async throws {
    let store = try StoreDatabase.inMemory()
    try store.enqueueAlert(alert("a"), deliveries: [("email", "a@b")])
    await outbox(store, [:]).deliverDue()
    #expect(try state(store, "a").state == .pending)
    #expect(try state(store, "a").lastError.contains("email"))
    clock.advance(seconds: 10)
    let mail = ScriptedNotifier()
    await outbox(store, [.email: mail]).deliverDue()
    #expect(mail.sent == ["a"])
  }

  @Test func twoOutboxesOnOneStoreSendOnce() async throws {
    let store = try StoreDatabase.inMemory()
    let notifier = ScriptedNotifier()
    let outboxes = (0..<4).map { _ in outbox(store, [.log: notifier]) }
    for index in 0..<40 {
      try store.enqueueAlert(alert("a\(index)"), deliveries: [("log", "")])
    }
    await withTaskGroup(of: Void.self) { group in
      for outbox in outboxes { group.addTask { while await outbox.deliverDue() > 0 {} } }
    }
    #expect(notifier.sent.count == 40)
    #expect(Set(notifier.sent).count == 40)
  }

  @Test func aClaimerThatDiedIsFollowedByAnother() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("store.sqlite")
    let first = try StoreDatabase.open(path: path)
    try first.enqueueAlert(alert("a"), deliveries: [("log", "")])
    // The process dies here: claimed, not sent, nothing closed.
    let claimed = try first.claimDeliveries(now: clock.now, leaseSeconds: 60, limit: 8)
    #expect(claimed.count == 1)
    let second = try StoreDatabase.open(path: path)
    let notifier = ScriptedNotifier()
    let outbox = outbox(second, [.log: notifier])
    #expect(await outbox.deliverDue() == 0)
    clock.advance(seconds: 61)
    #expect(await outbox.deliverDue() == 1)
    #expect(notifier.sent == ["a"])
    // What the dead one might still say is late and changes nothing.
    #expect(
      try first.finishDelivery(
        id: claimed[0].delivery.id, attempt: claimed[0].delivery.attempts,
        outcome: .abandoned(error: "late")) == false)
    #expect(try state(second, "a").state == .delivered)
  }

  @Test func theServiceDeliversWhatIsRaisedWhileItRunsAndStops() async throws {
    let store = try StoreDatabase.inMemory()
    let notifier = ScriptedNotifier()
    let outbox = outbox(store, [.log: notifier], settings: .init(pollSeconds: 30))
    let task = Task { try await outbox.run() }
    try store.enqueueAlert(alert("a"), deliveries: [("log", "")])
    outbox.wake()
    for _ in 0..<200 where notifier.sent.count < 1 { try await Task.sleep(for: .milliseconds(20)) }
    try store.enqueueAlert(alert("b"), deliveries: [("log", "")])
    outbox.wake()
    for _ in 0..<200 where notifier.sent.count < 2 { try await Task.sleep(for: .milliseconds(20)) }
    task.cancel()
    try await task.value
    #expect(notifier.sent == ["a", "b"])
    #expect(try state(store, "b").state == .delivered)
  }
}

extension Logger {
  static var quiet: Logger {
    Logger(label: "notify-tests") { _ in SwiftLogNoOpLogHandler() }
  }
}
