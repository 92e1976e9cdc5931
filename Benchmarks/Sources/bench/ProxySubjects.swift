// The peers that relay and do not meter: nginx and haproxy, each at its best honest setting.

import Foundation
import Sockets

/// One worker. Streams are unbuffered, since events must pass as they come; kept connections are
/// not given up after their default of 1,000 requests.
struct NginxSubject: Subject {
  let name = "nginx"
  /// Without a master, for a tool that follows one process.
  var isOneProcess = false

  func start(_ site: Site, for scenario: Scenario) throws -> RunningSubject {
    let port = try TCPSocket.freePort()
    let folder = site.folder(name)
    let upstream = scenario.upstream
    let scheme = scenario.isTLS ? "https" : "http"
    // Of connections there are many more than descriptors: nginx drops new ones as soon as a
    // sixteenth is left.
    // A large request is gathered in memory, which costs nginx a quarter less than relaying it as
    // it comes.
    let text = """
      worker_processes 1;
      daemon off;
      master_process \(isOneProcess ? "off" : "on");
      pid \(folder)/nginx.pid;
      error_log stderr error;
      events { worker_connections \(site.descriptorLimit * 2); }
      http {
        \(NginxText.common(folder: folder))
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_read_timeout 600s;
        upstream mock {
          server 127.0.0.1:\(try site.upstreamPort(for: scenario));
          keepalive 256;
          keepalive_requests 1000000000;
        }
        server {
          listen 127.0.0.1:\(port) \(scenario.isTLS ? "ssl" : "") backlog=4096;
          \(scenario.isTLS ? NginxText.tls(site) : "")
          location /\(upstream)/ {
            proxy_pass \(scheme)://mock/;
            proxy_ssl_protocols TLSv1.2 TLSv1.3;
            proxy_ssl_session_reuse on;
            proxy_ssl_trusted_certificate \(scenario.isTLS ? site.certificate : "/dev/null");
            proxy_buffering \(scenario.isStream ? "off" : "on");
            client_body_buffer_size \(upstream == "large" ? "16m" : "64k");
          }
        }
      }

      """
    let file = try site.write(text, to: "\(name)/nginx.conf")
    let process = try launch(
      ["nginx", "-e", "stderr", "-p", folder, "-c", file], port: port, site: site)
    return RunningSubject(name: name, port: port, process: process)
  }
}

/// What the nginx that is measured and the one that plays a provider have in common.
enum NginxText {
  static func common(folder: String) -> String {
    """
    access_log off;
      server_tokens off;
      client_body_temp_path \(folder)/body;
      proxy_temp_path \(folder)/proxy;
      fastcgi_temp_path \(folder)/fastcgi;
      uwsgi_temp_path \(folder)/uwsgi;
      scgi_temp_path \(folder)/scgi;
      client_max_body_size 32m;
      keepalive_timeout 600s;
      keepalive_requests 1000000000;
    """
  }

  static func tls(_ site: Site) -> String {
    """
    ssl_certificate \(site.certificate);
        ssl_certificate_key \(site.privateKey);
        ssl_protocols TLSv1.2 TLSv1.3;
    """
  }
}

/// One thread, keep-alive on both sides.
struct HAProxySubject: Subject {
  let name = "haproxy"

  func start(_ site: Site, for scenario: Scenario) throws -> RunningSubject {
    let port = try TCPSocket.freePort()
    let combined = "\(site.certificate).both"
    let text = """
      global
        nbthread 1
        maxconn \(site.descriptorLimit / 2 - 50)
      defaults
        mode http
        option http-no-delay
        timeout connect 10s
        timeout client 600s
        timeout server 600s
      frontend main
        bind 127.0.0.1:\(port) backlog 4096 \(scenario.isTLS ? "ssl crt \(combined)" : "")
        default_backend mock
      backend mock
        http-reuse always
        http-request set-path %[path,regsub(^/\(scenario.upstream),)]
        server mock 127.0.0.1:\(try site.upstreamPort(for: scenario)) \
      \(scenario.isTLS ? "ssl verify required ca-file \(site.certificate)" : "")

      """
    let file = try site.write(text, to: "haproxy.cfg")
    let process = try launch(["haproxy", "-db", "-f", file], port: port, site: site)
    return RunningSubject(name: name, port: port, process: process)
  }
}
