# A provider of three dialects that answers from samples/metered, so that what a client sees, and
# what the meter reads, can be told beforehand. The model's name picks the answer.
# Usage: metered_upstream.py FOLDER      (prints "ready PORT")
import hashlib
import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

folder = Path(sys.argv[1])
answers = {
    "quay-plain": "openai/chat-cache-write.json",
    "quay-batch": "openai/chat-cache-write.json",
    "quay-stream": "openai/chat-router.sse",
    "quay-response": "openai/responses-cache-reasoning.json",
    "quay-response-stream": "openai/responses-tool-call.sse",
    "quay-embed": "openai/embeddings.json",
    "quay-legacy": "openai/completions-stream.sse",
    "gpt-image-1": "openai/images.json",
    "gpt-image-1-mini": "openai/images-stream.sse",
    "quay-listen": "openai/transcription-tokens.json",
    "quay-listen-stream": "openai/transcription-stream.sse",
    "quay-speak-stream": "openai/speech-stream.sse",
    "claude-plain": "anthropic/messages-web-search.json",
    "claude-stream": "anthropic/messages-cumulative.sse",
    "claude-cache": "anthropic/messages-cache-1h.sse",
    "gemini-plain": "gemini/generate-modalities.json",
    "gemini-stream": "gemini/stream-cumulative.sse",
    "gemini-blocked": "gemini/generate-blocked.json",
}
errors = {
    "openai": {"error": {"message": "Bad.", "type": "invalid_request_error", "param": "temperature",
                         "code": "out_of_range"}},
    "anthropic": {"type": "error", "error": {"type": "invalid_request_error", "message": "Bad."},
                  "request_id": "req_1"},
    "gemini": {"error": {"code": 400, "message": "Bad.", "status": "INVALID_ARGUMENT"}},
}
seen = {}
files = {}  # A batch of a file is called as the file is, and so are its results.


def batch(name, status):
    done = status == "completed"
    lines = files[name].count(b"\n")
    return json.dumps({
        "id": f"batch-{name}", "object": "batch", "endpoint": "/v1/chat/completions",
        "input_file_id": name, "completion_window": "24h", "status": status, "created_at": 1,
        "output_file_id": f"out-{name}" if done else None, "error_file_id": None,
        "request_counts": {"total": lines, "completed": lines if done else 0, "failed": 0},
    }).encode()


def results(name):
    lines = [json.loads(line) for line in files[name].splitlines()]
    return b"".join(json.dumps({
        "id": "r", "custom_id": line["custom_id"], "error": None,
        "response": {"status_code": 200, "request_id": "q", "body": json.loads(
            (folder / answers[line["body"]["model"]]).read_text())},
    }).encode() + b"\n" for line in lines)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json", more={}):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("x-request-id", "req-upstream")
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, body):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), 61):
            piece = body[start : start + 61]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def do_GET(self):
        made = re.fullmatch(r"/v1/(batches/batch|files/out|files)-?(file-\w+|/file-\w+)(/content)?",
                            self.path)
        if made:
            kind, name = made.group(1), made.group(2).lstrip("/")
            if kind == "batches/batch":
                return self.answer(200, batch(name, "completed"))
            return self.answer(200, results(name) if kind == "files/out" else files[name],
                               kind="application/octet-stream")
        body = {"object": "list", "data": [{"id": "quay-plain", "object": "model", "type": "model",
                                            "display_name": "Quay", "created": 1, "owned_by": "q",
                                            "created_at": "2026-09-01T00:00:00Z"}],
                "has_more": False, "first_id": "a", "last_id": "a",
                "models": [{"name": "models/gemini-plain"}]}
        self.answer(200, json.dumps(body).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/v1/files":
            content = re.search(rb'name="file".*?\r\n\r\n(.*?)\r\n--', body, re.S).group(1)
            name = "file-" + hashlib.sha256(content).hexdigest()[:12]
            files[name] = content
            return self.answer(200, json.dumps({
                "id": name, "object": "file", "bytes": len(content), "created_at": 1,
                "filename": "a.jsonl", "purpose": "batch", "status": "processed"}).encode())
        if self.path == "/v1/batches":
            return self.answer(200, batch(json.loads(body)["input_file_id"], "validating"))
        form = re.search(rb'name="model"\r\n\r\n([^\r]*)\r\n', body)
        try:
            request = {"model": form.group(1).decode()} if form else json.loads(body)
        except ValueError:
            return self.answer(400, b'{"error":{"message":"not JSON"}}')
        verb = re.search(r"/models/([^:/]+):(\w+)", self.path)
        model = verb.group(1) if verb else request.get("model", "")
        dialect = "gemini" if verb else "anthropic" if "/messages" in self.path else "openai"
        if verb and verb.group(2) == "countTokens":
            return self.answer(200, b'{"totalTokens":11}')
        if "count_tokens" in self.path:
            return self.answer(200, b'{"input_tokens":11}')
        if model == "quay-speak":
            return self.answer(200, bytes(range(256)) * 300, kind="audio/mpeg")
        if model.endswith("-error"):
            return self.answer(400, json.dumps(errors[dialect]).encode())
        if model.endswith("-slow"):
            time.sleep(4)
        if model.endswith("-retry"):
            # The client's name is part of the key: each run sees the same.
            key = (self.headers.get("user-agent"), self.headers.get("x-run"), model)
            seen[key] = seen.get(key, 0) + 1
            if seen[key] == 1:
                return self.answer(429, json.dumps(errors[dialect]).encode(),
                                   more={"retry-after": "0"})
        base = re.sub(r"-(retry|slow)$", "-plain", model)
        path = folder / answers[base]
        if path.suffix == ".sse":
            self.stream(path.read_bytes())
        else:
            self.answer(200, path.read_bytes())


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that leaves, as one that has waited long enough does, is no news."""


server = Server(("127.0.0.1", 0), Handler)
print(f"ready {server.server_address[1]}", flush=True)
server.serve_forever()
