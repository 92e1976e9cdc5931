// A call that opens a WebSocket: from the upstream's 101 on, the session has its reservation and
// both connections.

import NIOCore
import Providers

extension Exchange {
  /// - Parameter frames: what the upstream sent behind its head.
  func openSocket(_ frames: ByteBuffer, now: NIODeadline) {
    switch call.upgraded() {
    case .end(let ending): end(ending)
    case .handOver:
      guard let app = plan.app, let reservation = reservation.take(), let caller, let upstream
      else { preconditionFailure("a socket was opened without a call") }
      self.caller = nil
      self.upstream = nil
      upstream.exchange = nil
      deadline = nil
      let session = SocketSession(
        context: context, plan: plan, estimate: estimate, app: app,
        spare: .init(reservation, since: started), caller: caller, upstream: upstream, now: now)
      _ = write(to: caller)
      upstream.socket = session
      if frames.readableBytes > 0 { session.upstreamRead(frames) }
      caller.becomeSocket(session)
    }
  }
}
