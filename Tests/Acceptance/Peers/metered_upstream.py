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
    "quay-tools": "openai/chat-tools.json",
    "quay-tools-stream": "openai/chat-tools.sse",
    "quay-torn": "openai/chat-router-error.sse",
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
    "claude-tools": "anthropic/messages-tools.json",
    "claude-torn": "anthropic/messages-error.sse",
    "claude-cache": "anthropic/messages-cache-1h.sse",
    "gemini-plain": "gemini/generate-modalities.json",
    "gemini-stream": "gemini/stream-cumulative.sse",
    "gemini-tools": "gemini/generate-tools.json",
    "gemini-tools-stream": "gemini/stream-tools.sse",
    "gemini-torn": "gemini/stream-error.sse",
    "gemini-blocked": "gemini/generate-blocked.json",
}
errors = {
    "openai": {"error": {"message": "Bad.", "type": "invalid_request_error", "param": "temperature",
                         "code": "out_of_range"}},
    "anthropic": {"type": "error", "error": {"type": "invalid_request_error", "message": "Bad."},
                  "request_id": "req_1"},
    "gemini": {"error": {"code": 400, "message": "Bad.", "status": "INVALID_ARGUMENT"}},
}
down = {
    "openai": {"error": {"message": "Down", "type": "server_error", "param": None, "code": None}},
    "anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "Down"}},
    "gemini": {"error": {"code": 503, "message": "Down", "status": "UNAVAILABLE"}},
}
free = {
    "/v1/moderations": "moderations.json", "/v1/responses/resp_q1": "stored-response.json",
}
message_batch_results = (folder / "anthropic/message-batch-results.jsonl").read_bytes()
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


def data(event):
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def named(event):
    return b"event: " + event["type"].encode() + b"\n" + data(event)


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

    def stream(self, body, piece=61, first=b"", pause=0):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        parts = [body[start : start + piece] for start in range(0, len(body), piece)]
        for part in [first] * bool(first) + parts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
            time.sleep(pause)
        self.wfile.write(b"0\r\n\r\n")

    def flood(self, path):
        """Far more than was asked for, as a provider does that ignores the output bound."""
        text = "tide " * 20
        if ":streamGenerateContent" in path:
            event = {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]}
            first, rest = b"", data(event)
        elif path.endswith("/messages"):
            begun = {"type": "message_start", "message": {
                "id": "m", "type": "message", "role": "assistant", "model": "claude-flood",
                "content": [], "stop_reason": None, "stop_sequence": None,
                "usage": {"input_tokens": 9, "output_tokens": 1}}}
            block = {"type": "content_block_start", "index": 0,
                     "content_block": {"type": "text", "text": ""}}
            event = {"type": "content_block_delta", "index": 0,
                     "delta": {"type": "text_delta", "text": text}}
            first, rest = b"".join(named(each) for each in (begun, block)), named(event)
        elif path.endswith("/responses"):
            first, rest = b"", named({"type": "response.output_text.delta", "delta": text,
                                      "item_id": "i", "output_index": 0, "content_index": 0,
                                      "logprobs": [], "sequence_number": 1})
        else:
            first, rest = b"", data({
                "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "quay-flood",
                "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
        # Whole events at a time and with a pause, as a provider writes them.
        self.stream(rest * 2_000, piece=20 * len(rest), first=first, pause=0.005)

    def do_GET(self):
        if self.path in free:
            return self.answer(200, (folder / "free" / free[self.path]).read_bytes())
        if self.path.startswith("/v1/messages/batches/msgbatch_sdk"):
            if not self.path.endswith("/results"):
                return self.answer(200, self.message_batch("ended"))
            return self.answer(200, message_batch_results, kind="application/x-jsonl")
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

    def message_batch(self, status):
        url = f"http://{self.headers['host']}/v1/messages/batches/msgbatch_sdk/results"
        counts = {"processing": status != "ended", "succeeded": status == "ended", "errored": 0,
                  "canceled": 0, "expired": 0}
        return json.dumps({
            "id": "msgbatch_sdk", "type": "message_batch", "processing_status": status,
            "request_counts": {name: int(count) for name, count in counts.items()},
            "ended_at": "2026-09-01T00:10:00Z" if status == "ended" else None,
            "created_at": "2026-09-01T00:00:00Z", "expires_at": "2026-09-02T00:00:00Z",
            "archived_at": None, "cancel_initiated_at": None,
            "results_url": url if status == "ended" else None}).encode()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/v1/files":
            content = re.search(rb'name="file".*?\r\n\r\n(.*?)\r\n--', body, re.S).group(1)
            name = "file-" + hashlib.sha256(content).hexdigest()[:12]
            files[name] = content
            return self.answer(200, json.dumps({
                "id": name, "object": "file", "bytes": len(content), "created_at": 1,
                "filename": "a.jsonl", "purpose": "batch", "status": "processed"}).encode())
        if self.path in free:
            return self.answer(200, (folder / "free" / free[self.path]).read_bytes())
        if self.path.split("?")[0] == "/v1/messages/batches":
            return self.answer(200, self.message_batch("in_progress"))
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
        if model.endswith("-flood"):
            return self.flood(self.path.split("?")[0])
        # The run is part of the key: each sees the same.
        key = (self.headers.get("x-run"), model)
        seen[key] = seen.get(key, 0) + 1
        if model.endswith("-down"):
            # The client's caller sees which try was the last.
            error = json.dumps(down[dialect]).replace("Down", f"Down at try {seen[key]}")
            return self.answer(503, error.encode(), more={"retry-after-ms": "10"})
        if model.endswith("-retry"):
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
