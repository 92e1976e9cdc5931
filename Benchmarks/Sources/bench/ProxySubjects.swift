// The peers that relay and do not meter: nginx and haproxy, each at its best honest setting.

import Foundation
import Sockets

/// One worker. Streams are unbuffered, since events must pass as they come; kept connections are
/// not given up after their default of 1,000 requests.
struct NginxSubject: Subject {
  let name = "nginx"

  func start(_ site: Site, for scenario: Scenario) throws -> RunningSubject {
    let port = try TCPSocket.freePort()
    let folder = "\(site.directory)/nginx"
    let ports = site.upstreamPorts.sorted { $0.key < $1.key }
    let upstreams = ports.map { name, port in
      """
        upstream up_\(name) {
          server 127.0.0.1:\(port);
          keepalive 256;
          keepalive_requests 1000000000;
        }
      """
    }
    let locations = ports.map { name, _ in
      let isStream = name != "json" && name != "large"
      let special = name == "large" ? "proxy_request_buffering off;" : ""
      return """
            location /\(name)/ {
              proxy_pass http://up_\(name)/;
              proxy_buffering \(isStream ? "off" : "on");
              \(special)
            }
        """
    }
    let text = """
      worker_processes 1;
      daemon off;
      pid \(folder)/nginx.pid;
      error_log stderr error;
      events { worker_connections \(site.descriptorLimit); }
      http {
        access_log off;
        server_tokens off;
        client_body_temp_path \(folder)/body;
        proxy_temp_path \(folder)/proxy;
        fastcgi_temp_path \(folder)/fastcgi;
        uwsgi_temp_path \(folder)/uwsgi;
        scgi_temp_path \(folder)/scgi;
        client_max_body_size 32m;
        client_body_buffer_size 64k;
        keepalive_timeout 600s;
        keepalive_requests 1000000000;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_read_timeout 600s;
      \(upstreams.joined(separator: "\n"))
        server {
          listen 127.0.0.1:\(port) backlog=4096;
      \(locations.joined(separator: "\n"))
        }
      }

      """
    let file = try site.write(text, to: "nginx/nginx.conf")
    let process = try launch(
      ["nginx", "-e", "stderr", "-p", folder, "-c", file], port: port, site: site)
    return RunningSubject(name: name, port: port, process: process)
  }
}

/// One thread, keep-alive on both sides.
struct HAProxySubject: Subject {
  let name = "haproxy"

  func start(_ site: Site, for scenario: Scenario) throws -> RunningSubject {
    let port = try TCPSocket.freePort()
    let ports = site.upstreamPorts.sorted { $0.key < $1.key }
    let rules = ports.map { name, _ in "  use_backend up_\(name) if { path_beg /\(name)/ }" }
    let backends = ports.map { name, port in
      """
      backend up_\(name)
        http-reuse always
        http-request set-path %[path,regsub(^/\(name),)]
        server mock 127.0.0.1:\(port)
      """
    }
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
        bind 127.0.0.1:\(port) backlog 4096
      \(rules.joined(separator: "\n"))
      \(backends.joined(separator: "\n"))

      """
    let file = try site.write(text, to: "haproxy.cfg")
    let process = try launch(["haproxy", "-db", "-f", file], port: port, site: site)
    return RunningSubject(name: name, port: port, process: process)
  }
}
