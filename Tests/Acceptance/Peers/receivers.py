# A real SMTP server (aiosmtpd) and a webhook receiver; each message is appended to a file as JSON.
# Usage: receivers.py SMTP_PORT HTTP_PORT FILE
import email
import email.policy
import http.server
import json
import sys
import threading

from aiosmtpd.controller import Controller

smtp_port, http_port, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
lock = threading.Lock()


def record(entry):
    with lock, open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


class Mail:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        record(
            {
                "kind": "mail",
                "to": envelope.rcpt_tos,
                "subject": message["Subject"],
                "id": message["Message-ID"],
                "text": message.get_body(("plain",)).get_content(),
            }
        )
        return "250 OK"


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        record(
            {
                "kind": "webhook",
                "id": self.headers["Idempotency-Key"],
                "body": json.loads(body),
            }
        )
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


Controller(Mail(), hostname="127.0.0.1", port=smtp_port).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", http_port), Hook)
print("receivers are ready", flush=True)
server.serve_forever()
