// Real receivers for the tests: a mail server (aiosmtpd) and an HTTP server, each a process of its
// own that appends one JSON line for everything it takes.

import Foundation
import TestSupport

/// A receiver process and what it has taken so far.
final class Receiver: @unchecked Sendable {
  // Unchecked: set up in init, then only read. The process ends with it.
  private let process: ChildProcess
  private let directory: TemporaryDirectory
  let port: Int

  struct Failure: Error { var what: String }

  /// Starts a script and waits until it says which port it has.
  init(script: String, arguments: [String] = []) async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(script, to: "receiver.py")
    process = try ChildProcess(
      Command.peersPython ?? "",
      [file, directory.path("taken.jsonl"), directory.path("port")] + arguments)
    self.directory = directory
    let portFile = directory.path("port")
    var found: Int?
    for _ in 0..<400 where found == nil {
      try await Task.sleep(for: .milliseconds(50))
      found = (try? String(contentsOfFile: portFile, encoding: .utf8)).flatMap { Int($0) }
    }
    guard let found else { throw Failure(what: "the receiver did not start") }
    port = found
  }

  /// Everything taken so far, in order.
  func taken() throws -> [[String: String]] {
    let path = directory.path("taken.jsonl")
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return try text.split(separator: "\n").map {
      try JSONDecoder().decode([String: String].self, from: Data($0.utf8))
    }
  }

  /// Waits until that many were taken, at most 20 s.
  func taken(atLeast count: Int) async throws -> [[String: String]] {
    for _ in 0..<400 {
      let taken = try taken()
      if taken.count >= count { return taken }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw Failure(what: "only \(try taken().count) of \(count) arrived")
  }
}

extension Receiver {
  /// A mail server. It refuses recipients at `refused.example`, puts off those at `busy.example`,
  /// and records the envelope, the parsed headers and the decoded body.
  static func mail() async throws -> Receiver { try await Receiver(script: mailScript) }

  /// A web server. `/status/N` answers N; `/slow` never answers; `/busy-once` answers 503 the first
  /// time; `/endless` sends without end; everything else answers 204.
  static func web() async throws -> Receiver { try await Receiver(script: webScript) }

  /// The same over TLS, with a certificate (and its key in the same PEM file) for `localhost`.
  static func secureWeb(certificate: String) async throws -> Receiver {
    try await Receiver(script: webScript, arguments: [certificate])
  }

  private static let mailScript = """
    import asyncio, email, email.policy, json, os, sys
    from aiosmtpd.controller import Controller
    class Handler:
        async def handle_RCPT(self, server, session, envelope, address, options):
            if address.endswith("@refused.example"): return "550 no such mailbox"
            if address.endswith("@busy.example"): return "451 try again later"
            envelope.rcpt_tos.append(address)
            return "250 OK"
        async def handle_DATA(self, server, session, envelope):
            raw = envelope.original_content
            message = email.message_from_bytes(raw, policy=email.policy.default)
            row = {"from": envelope.mail_from, "rcpt": ",".join(envelope.rcpt_tos),
                   "subject": str(message["Subject"]), "message_id": str(message["Message-ID"]),
                   "date": str(message["Date"]), "to": str(message["To"]),
                   "header_names": ",".join(message.keys()),
                   "defects": str(message.defects), "body": message.get_content(),
                   "bare_lf": str(raw.count(b"\\n") != raw.count(b"\\r\\n")),
                   "longest_line": str(max(len(l) for l in raw.split(b"\\r\\n")))}
            with open(sys.argv[1], "a") as out: out.write(json.dumps(row) + "\\n")
            return "250 taken"
    controller = Controller(Handler(), hostname="127.0.0.1", port=0, ready_timeout=20)
    # Port 0: the controller's own check would connect to it, so serve by hand.
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(controller.factory, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with open(sys.argv[2] + ".tmp", "w") as f: f.write(str(port))
        os.rename(sys.argv[2] + ".tmp", sys.argv[2])
        await server.serve_forever()
    controller.loop = asyncio.new_event_loop()
    asyncio.set_event_loop(controller.loop)
    controller.loop.run_until_complete(main())
    """

  private static let webScript = """
    import http.server, json, os, sys, threading, time
    lock, seen = threading.Lock(), set()
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            row = {"path": self.path, "key": self.headers.get("Idempotency-Key", ""),
                   "type": self.headers.get("Content-Type", ""), "body": body}
            with lock:
                first = self.path not in seen
                seen.add(self.path)
                with open(sys.argv[1], "a") as out: out.write(json.dumps(row) + "\\n")
            status = 204
            if self.path.startswith("/status/"): status = int(self.path.split("/")[2])
            if self.path == "/slow": time.sleep(60)
            if self.path == "/busy-once" and first: status = 503
            if self.path == "/endless": status = 200
            self.send_response(status)
            if status in (301, 302): self.send_header("Location", "/elsewhere")
            if status == 429: self.send_header("Retry-After", "7")
            if self.path == "/endless":
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while True: self.wfile.write(b"400\\r\\n" + b"x" * 1024 + b"\\r\\n")
            elif status != 204: self.send_header("Content-Length", "0")
            self.end_headers()
        def log_message(self, *arguments): pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if len(sys.argv) > 3:
        import ssl
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(sys.argv[2] + ".tmp", "w") as f: f.write(str(server.server_address[1]))
    os.rename(sys.argv[2] + ".tmp", sys.argv[2])
    server.serve_forever()
    """
}
