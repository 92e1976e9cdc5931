// An upstream to rehearse with: it answers as a provider does and costs nothing.
// The server is the shell: it listens, hands connections to their handlers, and stops.

import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// A rehearsal upstream on one port. It starts once; `stop` ends it for good.
public final class RehearsalServer: Service {
  private struct Running {
    var listener: any Channel
    var port: Int
  }

  private let core: RehearsalCore
  private let group: any EventLoopGroup
  private let ownsGroup: Bool
  private let logger: Logger
  private let running = Mutex<Running?>(nil)
  private let hasStarted = Atomic<Bool>(false)
  private let hasStopped = Atomic<Bool>(false)

  /// Reads the recorded answers.
  /// - Parameters:
  ///   - script: decides about each request; nil: every request gets a recorded answer.
  ///   - group: the event loops to run on; nil: own ones, ended by `stop`.
  /// - Throws: a setting out of range, or a recording that is missing or unreadable.
  public init(
    configuration: RehearsalConfiguration, script: Script? = nil,
    group: (any EventLoopGroup)? = nil, logger: Logger = Logger(label: "leeway.rehearsal")
  ) throws(RehearsalFault) {
    core = try RehearsalCore(configuration, script: script)
    ownsGroup = group == nil
    self.group = group ?? MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
    self.logger = logger
  }

  /// The port it listens on; nil before the start and after the stop.
  public var port: Int? { running.withLock { $0?.port } }
  /// The latest requests, oldest first; `recordedRequestsMax` of them at most.
  public var requests: [RecordedRequest] { core.requests }
  /// Requests received since the start.
  public var requestCount: Int { core.requestsSeen }
  /// Connections accepted since the start.
  public var connectionCount: Int { core.connectionsSeen }
  /// Connections open now.
  public var openConnectionCount: Int { core.openConnections }
  /// Answers that the peer did not wait for: it closed the connection meanwhile.
  public var abandonedCount: Int { core.abandonedAnswers }

  /// Starts to listen. - Returns: the port. - Throws: the port is taken, or it was started before.
  @discardableResult
  public func start() async throws(RehearsalFault) -> Int {
    guard !hasStarted.exchange(true, ordering: .relaxed) else {
      throw RehearsalFault(
        .alreadyStarted, "the rehearsal upstream was started before", hint: "make another one")
    }
    let core = core
    let host = core.configuration.host
    let wanted = core.configuration.port
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        guard let number = core.opened(channel) else { return channel.close() }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            RehearsalHandler(core, connection: number))
        }
      }
    do {
      let listener = try await bootstrap.bind(host: host, port: wanted).get()
      let port = listener.localAddress?.port ?? wanted
      running.withLock { $0 = Running(listener: listener, port: port) }
      logger.info(
        "the rehearsal upstream listens", metadata: ["host": "\(host)", "port": "\(port)"])
      return port
    } catch {
      throw RehearsalFault(
        .listenFailed, "the rehearsal upstream cannot listen on \(host):\(wanted)",
        hint: "choose another port (0 for any free one) or an address of this machine",
        retryable: true, cause: error)
    }
  }

  /// Closes the listener and every connection, and ends the event loops if they are its own.
  public func stop() async {
    guard !hasStopped.exchange(true, ordering: .relaxed) else { return }
    let listener = running.withLock { state in
      defer { state = nil }
      return state?.listener
    }
    // What is closed already is what we want.
    try? await listener?.close()
    for channel in core.stopAccepting() { try? await channel.close() }
    if ownsGroup { try? await group.shutdownGracefully() }
  }

  /// Starts, if that has not been done, and runs until a graceful shutdown or a cancellation.
  public func run() async throws {
    if !hasStarted.load(ordering: .relaxed) { try await start() }
    // It throws when the task is cancelled: that is a reason to stop, not an error.
    try? await gracefulShutdown()
    await stop()
  }
}
