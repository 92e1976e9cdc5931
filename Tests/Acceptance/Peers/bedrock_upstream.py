# A Bedrock that believes nobody: it checks the signature of each request with botocore's own signer,
# as AWS would, and answers from samples/metered/bedrock. The model's name picks the answer.
# Usage: bedrock_upstream.py FOLDER KEYS      (prints "ready PORT"; KEYS is a JSON file of the keys)
import datetime
import json
import re
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

folder, keys_file = Path(sys.argv[1]), Path(sys.argv[2])
stream = "application/vnd.amazon.eventstream"
answers = {
    ("anthropic.claude-quay-v1:0", "converse"): "converse.json",
    ("anthropic.claude-quay-v1:0", "converse-stream"): "converse-stream.bin",
    ("eu.anthropic.claude-quay-v1:0", "invoke"): "invoke-claude.json",
    ("eu.anthropic.claude-quay-v1:0", "invoke-with-response-stream"): "invoke-claude-stream.bin",
    ("amazon.nova-quay-v1:0", "invoke-with-response-stream"): "invoke-nova-stream.bin",
    ("cohere.command-r-quay-v1:0", "invoke"): "invoke-cohere.json",
    ("amazon.titan-embed-text-quay", "invoke"): "invoke-embed.json",
}
profile = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/"
refused = []


class Signer(auth.SigV4Auth):
    """botocore's, but for the fields that are signed: those that the request says."""

    def __init__(self, credentials, scope, names):
        super().__init__(credentials, scope[3], scope[2])
        self.names = names

    def headers_to_sign(self, request):
        found = super().headers_to_sign(request)
        for name in set(found):
            if name.lower() not in self.names:
                del found[name]
        return found


def fault(handler, body):
    """Why a request is not to be believed; None: it is."""
    keys = json.loads(keys_file.read_text())
    field = handler.headers.get_all("authorization") or []
    if len(field) != 1:
        return f"{len(field)} authorization fields"
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
        field[0])
    if not match:
        return "an authorization of another form"
    scope, names = match[1].split("/"), match[2].split(";")
    stamp = handler.headers.get("x-amz-date", "")
    if scope[0] != keys["access"] or scope[2:] != ["eu-west-1", "bedrock", "aws4_request"]:
        return f"the scope {scope[1:]}"
    if handler.headers.get("x-amz-security-token") != keys.get("token"):
        return "the token of another session"
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.strptime(
        stamp, auth.SIGV4_TIMESTAMP).replace(tzinfo=datetime.timezone.utc)
    if abs(age.total_seconds()) > 300 or scope[1] != stamp[:8]:
        return f"the time {stamp}"
    unsigned = [name for name in handler.headers if name.lower().startswith("x-amz")
                and name.lower() not in names]
    if unsigned or "host" not in names:
        return f"{unsigned or 'a host'} that is not signed"
    request = AWSRequest(method=handler.command, data=body,
                         url=f"http://{handler.headers['host']}{handler.path}")
    for name, value in handler.headers.items():
        request.headers.add_header(name, value)
    request.context["timestamp"] = stamp
    signer = Signer(Credentials(keys["access"], keys["secret"], keys.get("token")), scope, names)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return None if signer.signature(text, request) == match[3] else "the signature is another"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json", more={}):
        self.send_response(status)
        self.send_header("content-type", kind)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, json.dumps(refused).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        reason = fault(self, body)
        if reason:
            refused.append(reason)
            return self.answer(403, json.dumps({"message": reason}).encode(), more={
                "x-amzn-errortype": "InvalidSignatureException"})
        match = re.fullmatch(r"/model/([^/]+)/([a-z-]+)", self.path)
        model = urllib.parse.unquote(match[1]).removeprefix(profile) if match else ""
        name = answers.get((model, match[2] if match else ""))
        if not name:
            return self.answer(404, b'{"message":"no such model"}')
        data = (folder / name).read_bytes()
        if name.endswith(".bin"):
            return self.answer(200, data, stream)
        self.answer(200, data, more={"x-amzn-bedrock-input-token-count": "61",
                                     "x-amzn-bedrock-output-token-count": "13"})


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"ready {server.server_address[1]}", flush=True)
server.serve_forever()
