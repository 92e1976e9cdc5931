// TLS on both sides: nginx plays the provider and wrk the clients, since mock and load speak plain
// HTTP only.

import Foundation
import Measures
import Sockets

enum TLSRig {
  /// Makes a certificate and starts the provider.
  ///
  /// - Returns: the provider and its port.
  static func start(_ site: Site, core: Int) throws -> (process: ChildProcess, port: UInt16) {
    try runCommand(
      [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", site.privateKey, "-out",
        site.certificate,
      ], log: site.log("openssl"))
    let both = try [site.certificate, site.privateKey]
      .map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
    try both.write(toFile: "\(site.certificate).both", atomically: false, encoding: .utf8)
    let port = try TCPSocket.freePort()
    let folder = site.folder("provider")
    let text = """
      worker_processes 1;
      daemon off;
      pid \(folder)/nginx.pid;
      error_log stderr error;
      events { worker_connections 4096; }
      http {
        \(NginxText.common(folder: folder))
        server {
          listen 127.0.0.1:\(port) ssl backlog=4096;
          \(NginxText.tls(site))
          location / { default_type application/json; return 200 '\(answer)'; }
        }
      }

      """
    let file = try site.write(text, to: "provider/nginx.conf")
    let process = try ChildProcess(
      ["nginx", "-e", "stderr", "-p", folder, "-c", file], core: core, log: site.log("provider"))
    for _ in 0..<100 where !TCPSocket.answers(port: port) { usleep(50_000) }
    return (process, port)
  }

  /// - Returns: wrk's figures in the load generator's form.
  static func load(
    _ subject: RunningSubject, scenario: Scenario, site: Site, core: Int, seconds: Double,
    resident: () -> Double
  ) throws -> (result: LoadResult, resident: Double) {
    let key = try subject.keys.map { try String(contentsOfFile: $0, encoding: .utf8) } ?? "none"
    let token = key.split(separator: "\n").first.map(String.init) ?? "none"
    let script = try site.write(script(key: token), to: "wrk.lua")
    let whole = Int(seconds.rounded(.up))
    let url = "https://127.0.0.1:\(subject.port)\(subject.path(scenario.upstream))"
    let wrk = try ChildProcess(
      ["wrk", "-t", "1", "-c", "64", "-d", "\(whole)s", "-s", script, url], core: core,
      log: site.log("wrk"), readsOutput: true)
    usleep(UInt32(whole) * 500_000)
    let memory = resident()
    let (output, _) = wrk.finish()
    let text = String(decoding: output, as: UTF8.self)
    guard
      let line = text.split(separator: "\n").last(where: { $0.hasPrefix("{") }),
      let result = try? JSONDecoder().decode(LoadResult.self, from: Data(line.utf8))
    else { throw BenchFault("wrk gave no result on \(subject.name):\n\(text)") }
    return (result, memory)
  }

  private static let answer = """
    {"id":"chatcmpl-Bench0123456789abcdefghij","object":"chat.completion","created":1790000000,\
    "model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant",\
    "content":"\(String(repeating: "The parcel is due on Friday before noon. ", count: 7))",\
    "refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":371,\
    "completion_tokens":64,"total_tokens":435,"prompt_tokens_details":{"cached_tokens":0},\
    "completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default"}
    """

  /// wrk counts calls that it began and cut off at its end as neither good nor bad.
  private static func script(key: String) -> String {
    """
    wrk.method = "POST"
    wrk.headers["content-type"] = "application/json"
    wrk.headers["authorization"] = "Bearer \(key)"
    wrk.headers["user-agent"] = "OpenAI/Python 1.109.1"
    wrk.body = '{"model":"gpt-4o-mini","max_tokens":256,"messages":[{"role":"user","content":"' ..
      string.rep("Order 4711: paid, packed, handed to the carrier. ", 30) .. '"}]}'
    function done(summary, latency, requests)
      local e = summary.errors
      local bad = e.connect + e.read + e.write + e.status + e.timeout
      local function at(p) return string.format("%d", latency:percentile(p)) end
      local q = '{"count":' .. summary.requests .. ',"p50":' .. at(50) .. ',"p90":' .. at(90) ..
        ',"p99":' .. at(99) .. ',"p999":' .. at(99.9) .. ',"max":' .. latency.max .. '}'
      local seconds = summary.duration / 1e6
      print(string.format('{"calls":%d,"errors":%d,"seconds":%f,"callsPerSecond":%f,' ..
        '"readsPerCall":0,"latency":%s,"firstByte":%s}',
        summary.requests, bad, seconds, summary.requests / seconds, q, q))
    end

    """
  }
}
