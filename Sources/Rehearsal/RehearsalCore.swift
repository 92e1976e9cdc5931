// What all connections of one rehearsal upstream share: the answers, the dice and the counters.

import NIOCore
import Synchronization

/// Shared by the connections' handlers, on whatever event loop they are.
final class RehearsalCore: Sendable {
  /// What to do about one request.
  enum Decision: Sendable {
    case play(RenderedAnswer)
    /// The first half of the answer, then the end of the connection.
    case breakOff(RenderedAnswer)
    case follow([Reply.Step])
  }

  private struct Mutable {
    var requests: [RecordedRequest] = []
    var children: [ObjectIdentifier: any Channel] = [:]
    var isStopping = false
  }

  let configuration: RehearsalConfiguration
  private let library: AnswerLibrary
  private let script: Script?
  private let mutable = Mutex(Mutable())
  private let requestCount = Atomic<Int>(0)
  private let connectionCount = Atomic<Int>(0)
  private let abandonedCount = Atomic<Int>(0)

  init(_ configuration: RehearsalConfiguration, script: Script?) throws(RehearsalFault) {
    try configuration.validate()
    let library = try AnswerLibrary(directory: configuration.directory)
    if case .named(let name) = configuration.selection, !library.contains(name: name) {
      throw RehearsalFault(
        .recordingMissing, "no recorded answer is named '\(name)'",
        hint: "name one of the files in \(configuration.directory)/openai without its ending")
    }
    self.configuration = configuration
    self.library = library
    self.script = script
  }

  /// Whether requests have to be taken apart into values.
  var wantsRequests: Bool { script != nil || configuration.recordedRequestsMax > 0 }

  var requests: [RecordedRequest] { mutable.withLock { $0.requests } }
  var requestsSeen: Int { requestCount.load(ordering: .relaxed) }
  var connectionsSeen: Int { connectionCount.load(ordering: .relaxed) }
  var abandonedAnswers: Int { abandonedCount.load(ordering: .relaxed) }
  var openConnections: Int { mutable.withLock { $0.children.count } }

  func nextRequest() -> Int {
    requestCount.wrappingAdd(1, ordering: .relaxed).oldValue
  }

  func noteAbandoned() { abandonedCount.wrappingAdd(1, ordering: .relaxed) }

  /// The number of a new connection; nil while the upstream stops.
  func opened(_ channel: any Channel) -> Int? {
    let isTaken = mutable.withLock { state in
      if state.isStopping { return false }
      state.children[ObjectIdentifier(channel)] = channel
      return true
    }
    return isTaken ? connectionCount.wrappingAdd(1, ordering: .relaxed).oldValue : nil
  }

  func closed(_ channel: any Channel) {
    _ = mutable.withLock { $0.children.removeValue(forKey: ObjectIdentifier(channel)) }
  }

  /// Takes no more connections and gives those that are open.
  func stopAccepting() -> [any Channel] {
    mutable.withLock { state in
      state.isStopping = true
      return Array(state.children.values)
    }
  }

  /// Decides about a request; `record` is given if `wantsRequests`.
  func decide(
    number: Int, isPost: Bool, target: [UInt8], body: UnsafeRawBufferPointer,
    record: RecordedRequest?
  ) -> Decision {
    var name: String?
    if let record {
      keep(record)
      switch script?(record).content {
      case .steps(let steps): return .follow(steps)
      case .recorded(let wanted): name = wanted
      case nil: break
      }
    }
    guard let scan = CallScan(target: target, body: body) else {
      return .play(Self.refusal(404, "the rehearsal upstream has no such path"))
    }
    // As every provider: what only reads must not come back as a model's answer.
    guard isPost else {
      return .play(Self.refusal(405, "the rehearsal upstream answers POST here"))
    }
    let count = UInt64(number)
    let seed = configuration.seed
    if Dice.fraction(seed: seed, count: count, salt: 0) < configuration.errorRate {
      let status = Dice.fraction(seed: seed, count: count, salt: 1) < 0.5 ? 429 : 500
      return .play(library.error(scan.dialect, status: status))
    }
    let pick: UInt64
    switch configuration.selection {
    case .byRequest: pick = Dice.hash(body)
    case .inTurn: pick = count
    case .named(let wanted):
      pick = 0
      name = name ?? wanted
    }
    guard let answer = library.answer(scan, pick: pick, name: name) else {
      return .play(Self.refusal(404, "the rehearsal upstream has no such dialect"))
    }
    let breaks = Dice.fraction(seed: seed, count: count, salt: 2) < configuration.cutOffRate
    return breaks ? .breakOff(answer) : .play(answer)
  }

  /// An error of the rehearsal upstream itself. - Parameter message: fixed text without quotes.
  static func refusal(_ status: Int, _ message: String) -> RenderedAnswer {
    let body =
      "{\"error\":{\"message\":\"\(message)\",\"type\":\"invalid_request_error\","
      + "\"param\":null,\"code\":null}}\n"
    return RenderedAnswer(
      status: status, contentType: "application/json", body: Array(body.utf8))
  }

  private func keep(_ record: RecordedRequest) {
    let most = configuration.recordedRequestsMax
    guard most > 0 else { return }
    mutable.withLock { state in
      if state.requests.count >= most { state.requests.removeFirst() }
      state.requests.append(record)
    }
  }
}
