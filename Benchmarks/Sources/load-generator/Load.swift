// Drives the connections: as fast as they answer, or at a fixed rate.

import Glibc
import Measures
import Sockets

/// How much is sent, and how.
struct LoadPlan {
  var port: UInt16
  var connections: Int
  /// The run ends with whichever comes first.
  var seconds: Double
  var calls: Int?
  /// Calls a second; nil: closed loop, each connection as fast as it is answered.
  var rate: Double?
  var isStream: Bool
  var readsTimestamps: Bool
}

final class Load {
  private static let errorsMax = 100

  private let plan: LoadPlan
  private let requests: [[UInt8]]
  private let epoll: Epoll
  private let timer: TimerDescriptor
  private var clients: [Client?] = []
  private var idle: [Client] = []
  private var nextRequest = 0
  private var begun = 0
  private var calls = 0
  private var errors = 0
  private var firstError: String?
  private var reads = 0
  private var latency = Histogram()
  private var firstByte = Histogram()
  private var eventDelay = Histogram()
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 16)

  init(_ plan: LoadPlan, requests: [[UInt8]]) throws {
    self.plan = plan
    self.requests = requests
    epoll = try Epoll()
    timer = try TimerDescriptor()
    epoll.add(timer.descriptor)
  }

  /// Runs to the plan's end and lets open calls finish.
  func run() throws -> LoadResult {
    let start = monotonicNanoseconds()
    let end = start + UInt64(plan.seconds * 1e9)
    for _ in 0..<plan.connections { idle.append(try connect()) }
    if plan.rate == nil {
      while mayBegin, let client = idle.popLast() { try begin(client, due: start) }
    }
    // An answer that never comes must not hold the run for ever.
    let deadline = end + 15_000_000_000
    while errors < Self.errorsMax {
      let now = monotonicNanoseconds()
      let isOver = now >= end || !mayBegin
      if isOver, begun == calls + errors { break }
      guard now < deadline else {
        fail("\(begun - calls - errors) calls were not answered")
        break
      }
      if let rate = plan.rate, !isOver { try beginDue(rate, start: start, now: now) }
      try epoll.wait(milliseconds: 100) { socket in
        if socket == timer.descriptor { return timer.acknowledge() }
        guard let client = clients[Int(socket)] else { return }
        try take(client.proceed(into: buffer), of: client, end: end)
      }
    }
    let seconds = Double(monotonicNanoseconds() - start) / 1e9
    for client in clients { client?.end() }
    return LoadResult(
      calls: calls, errors: errors, firstError: firstError, seconds: seconds, reads: reads,
      latency: latency, firstByte: firstByte, eventDelay: eventDelay)
  }

  private var mayBegin: Bool { plan.calls.map { begun < $0 } ?? true }

  /// Begins what has become due, as far as there are connections for it. Latency counts from the
  /// time at which a call was due: a slow answer then delays the calls behind it on the record,
  /// too, and is not quietly left out.
  private func beginDue(_ rate: Double, start: UInt64, now: UInt64) throws {
    while mayBegin, !idle.isEmpty {
      let due = start + UInt64(Double(begun) * 1e9 / rate)
      guard due <= now else {
        timer.arm(at: due)
        return
      }
      try begin(idle.removeLast(), due: due)
    }
  }

  private func begin(_ client: Client, due: UInt64) throws {
    begun += 1
    nextRequest = nextRequest + 1 == requests.count ? 0 : nextRequest + 1
    try take(client.begin(requests[nextRequest], due: due), of: client, end: 0)
  }

  private func take(_ event: Client.Event, of client: Client, end: UInt64) throws {
    switch event {
    case .nothing: break
    case .finished:
      let now = monotonicNanoseconds()
      calls += 1
      reads += client.reads
      latency.record(now - client.due)
      firstByte.record(client.firstByte - client.due)
      if plan.rate == nil, now < end, mayBegin {
        try begin(client, due: now)
      } else {
        idle.append(client)
      }
    case .failed(let reason):
      fail(reason)
      clients[Int(client.socket)] = nil
      client.end()
      if errors < Self.errorsMax { idle.append(try connect()) }
    }
  }

  private func fail(_ reason: String) {
    errors += 1
    firstError = firstError ?? reason
  }

  private func connect() throws -> Client {
    let timestamps =
      plan.readsTimestamps ? TimestampReader { [unowned self] in eventDelay.record($0) } : nil
    let client = try Client(
      port: plan.port, epoll: epoll, isStream: plan.isStream, timestamps: timestamps)
    while clients.count <= Int(client.socket) { clients.append(nil) }
    clients[Int(client.socket)] = client
    return client
  }
}
