# Makes the event-stream recordings beside it: frames of AWS's framing around made-up events.
# Usage: make_eventstream.py      (writes *.bin into its own folder)
import json
import struct
import zlib
from pathlib import Path

folder = Path(__file__).parent


def header(name, value):
    name, value = name.encode(), value.encode()
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", 7, len(value)) + value


def frame(kind, body, message="event"):
    headers = header(":exception-type" if message == "exception" else ":event-type", kind)
    headers += header(":content-type", "application/json") + header(":message-type", message)
    payload = json.dumps(body, separators=(",", ":")).encode()
    prelude = struct.pack("!II", len(headers) + len(payload) + 16, len(headers))
    frame = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return frame + struct.pack("!I", zlib.crc32(frame))


begin = [
    frame("messageStart", {"role": "assistant", "p": "abc"}),
    frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "High water at "}}),
    frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "\"14:20\"."}}),
    frame("contentBlockStop", {"contentBlockIndex": 0}),
    frame("contentBlockStart", {"contentBlockIndex": 1, "start": {
        "toolUse": {"toolUseId": "t1", "name": "tide"}}}),
    frame("contentBlockDelta", {"contentBlockIndex": 1, "delta": {
        "toolUse": {"input": "{\"port\":"}}}),
    frame("contentBlockDelta", {"contentBlockIndex": 1, "delta": {
        "toolUse": {"input": "\"Emden\"}"}}}),
    frame("contentBlockStop", {"contentBlockIndex": 1}),
]
stop = frame("messageStop", {"stopReason": "tool_use"})
metadata = frame("metadata", {
    "usage": {"inputTokens": 40, "outputTokens": 31, "totalTokens": 3655,
              "cacheReadInputTokens": 512, "cacheWriteInputTokens": 3072,
              "cacheDetails": [{"ttl": "1h", "inputTokens": 2048},
                               {"ttl": "5m", "inputTokens": 1024}]},
    "metrics": {"latencyMs": 812}, "serviceTier": {"type": "priority"}})
exception = frame("throttlingException", {"message": "Too many tokens."}, "exception")
(folder / "converse-stream.bin").write_bytes(b"".join(begin) + stop + metadata)
(folder / "converse-exception.bin").write_bytes(b"".join(begin[:3]) + exception)
broken = bytearray(metadata)
broken[broken.index(b"40,") + 1] = ord("1")
(folder / "converse-corrupt.bin").write_bytes(b"".join(begin) + stop + bytes(broken) + metadata)
