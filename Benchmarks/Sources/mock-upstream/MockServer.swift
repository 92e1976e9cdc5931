// The provider of a benchmark: answers every whole request on a port with that port's scenario.

import Glibc
import Sockets

/// One connection from a subject.
private final class Connection {
  let scenario: Scenario
  /// The request's head, where one read did not bring all of it.
  var head: [UInt8] = []
  /// Bytes of the request's body that are still to come; nil while a head is awaited.
  var bodyLeft: Int?
  /// The stream's next event; nil while no stream is open.
  var nextEvent: Int?

  init(_ scenario: Scenario) { self.scenario = scenario }
}

final class MockServer {
  private static let paceNanoseconds: UInt64 = 10_000_000

  private let epoll: Epoll
  private let timer: TimerDescriptor
  private var listeners: [Int32: Scenario] = [:]
  private var connections: [Connection?] = []
  /// Streams of `events` that have events to write, in turn.
  private var ready: [Int32] = []
  /// Streams of `paced` by the time of their next event. All pauses are equal, so the order in
  /// which they are appended is the order in which they are due.
  private var due: [(time: UInt64, socket: Int32, connection: Connection)] = []
  private var dueStart = 0
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 16)

  init() throws {
    epoll = try Epoll()
    timer = try TimerDescriptor()
    epoll.add(timer.descriptor)
  }

  /// - Returns: the port.
  func listen(_ scenario: Scenario) throws -> UInt16 {
    let (descriptor, port) = try TCPSocket.listen()
    listeners[descriptor] = scenario
    epoll.add(descriptor)
    return port
  }

  /// Serves until the process is ended.
  func run() {
    while true {
      epoll.wait(milliseconds: ready.isEmpty ? -1 : 0) { socket in
        if socket == timer.descriptor {
          timer.acknowledge()
        } else if let scenario = listeners[socket] {
          accept(socket, scenario)
        } else {
          receive(socket)
        }
      }
      writeReady()
      writeDue()
    }
  }

  private func accept(_ listener: Int32, _ scenario: Scenario) {
    while let socket = TCPSocket.accept(listener) {
      while connections.count <= Int(socket) { connections.append(nil) }
      connections[Int(socket)] = Connection(scenario)
      epoll.add(socket)
    }
  }

  private func drop(_ socket: Int32) {
    connections[Int(socket)] = nil
    close(socket)
  }

  private func receive(_ socket: Int32) {
    guard let connection = connections[Int(socket)] else { return }
    let count = read(socket, buffer.baseAddress, buffer.count)
    guard count > 0 else {
      if count < 0, errno == EAGAIN { return }
      return drop(socket)
    }
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    if let left = connection.bodyLeft {
      return takeBody(connection, socket, count: count, left: left)
    }
    // Bytes while a stream is open would be pipelining, which no subject does.
    guard connection.nextEvent == nil else { return drop(socket) }
    if connection.head.isEmpty { return takeHead(connection, socket, bytes) }
    connection.head.append(contentsOf: bytes)
    let whole = connection.head
    connection.head = []
    whole.withUnsafeBytes { takeHead(connection, socket, $0) }
  }

  private func takeHead(
    _ connection: Connection, _ socket: Int32, _ bytes: UnsafeRawBufferPointer
  ) {
    guard let end = HTTPHead.end(in: bytes) else {
      connection.head = Array(bytes)
      return
    }
    let framing = HTTPHead.framing(of: UnsafeRawBufferPointer(rebasing: bytes[..<end]))
    // Clients of these APIs send a length; a subject that changes that is not comparable.
    guard case .length(let length) = framing, bytes.starts(with: "POST /v1/".utf8) else {
      return drop(socket)
    }
    takeBody(connection, socket, count: bytes.count - end, left: length)
  }

  private func takeBody(_ connection: Connection, _ socket: Int32, count: Int, left: Int) {
    guard count <= left else { return drop(socket) }
    connection.bodyLeft = count == left ? nil : left - count
    if count == left { answer(connection, socket) }
  }

  private func answer(_ connection: Connection, _ socket: Int32) {
    switch connection.scenario {
    case .json, .large: send(Bodies.json, to: socket)
    case .burst: send(Bodies.burst, to: socket)
    case .events:
      send(Bodies.streamHead, to: socket)
      connection.nextEvent = 0
      ready.append(socket)
    case .paced:
      let first = Bodies.chunk(index: 0, sent: monotonicNanoseconds())
      send(Bodies.streamHead + first, to: socket)
      connection.nextEvent = 1
      wait(connection, socket)
    case .idle:
      send(Bodies.streamHead + Bodies.chunks[0], to: socket)
      connection.nextEvent = 1
    }
  }

  /// One event for every stream that has one: between two events of a stream stand those of all
  /// others, so that each reaches the subject by itself.
  private func writeReady() {
    guard !ready.isEmpty else { return }
    ready.removeAll { socket in
      guard let connection = connections[Int(socket)], let index = connection.nextEvent else {
        return true
      }
      let isLast = index == Bodies.streamEvents - 1
      connection.nextEvent = isLast ? nil : index + 1
      send(Bodies.chunks[index], to: socket)
      return isLast
    }
  }

  private func wait(_ connection: Connection, _ socket: Int32) {
    due.append((monotonicNanoseconds() + Self.paceNanoseconds, socket, connection))
    if due.count - dueStart == 1 { timer.arm(at: due[dueStart].time) }
  }

  private func writeDue() {
    guard dueStart < due.count else { return }
    while dueStart < due.count, due[dueStart].time <= monotonicNanoseconds() {
      let (_, socket, connection) = due[dueStart]
      dueStart += 1
      guard connections[Int(socket)] === connection, let index = connection.nextEvent else {
        continue
      }
      let isLast = index == Bodies.streamEvents - 1
      connection.nextEvent = isLast ? nil : index + 1
      send(Bodies.chunk(index: index, sent: monotonicNanoseconds()), to: socket)
      if !isLast { wait(connection, socket) }
    }
    if dueStart > 4_096 {
      due.removeFirst(dueStart)
      dueStart = 0
    }
    if dueStart < due.count { timer.arm(at: due[dueStart].time) }
  }

  /// An answer fits the socket's buffer many times over; a peer that does not read it is dropped.
  private func send(_ bytes: [UInt8], to socket: Int32) {
    let sent = bytes.withUnsafeBytes {
      Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    if sent != bytes.count { drop(socket) }
  }
}
