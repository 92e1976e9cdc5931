# Makes the event-stream recordings beside it: frames of AWS's framing around made-up events.
# Usage: make_eventstream.py      (writes *.bin into its own folder)
import base64
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


def chunk(event, metrics=None, pad="abcdef"):
    """A document of the model's maker within a frame of InvokeModel's stream."""
    if metrics:
        event = {**event, "amazon-bedrock-invocationMetrics": metrics}
    text = json.dumps(event, separators=(",", ":")).encode()
    return frame("chunk", {"bytes": base64.b64encode(text).decode(), "p": pad})


def metrics(tokens_in, tokens_out, **more):
    return {"inputTokenCount": tokens_in, "outputTokenCount": tokens_out, "invocationLatency": 901,
            "firstByteLatency": 204, **more}


claude = [
    chunk({"type": "message_start", "message": {
        "model": "claude-quay-5", "id": "msg_bdrk_01", "type": "message", "role": "assistant",
        "content": [], "stop_reason": None, "usage": {
            "input_tokens": 7, "cache_creation_input_tokens": 2238,
            "cache_read_input_tokens": 14486, "cache_creation": {
                "ephemeral_5m_input_tokens": 238, "ephemeral_1h_input_tokens": 2000},
            "output_tokens": 3}}}),
    chunk({"type": "content_block_start", "index": 0,
           "content_block": {"type": "text", "text": ""}}, pad="abc"),
    chunk({"type": "content_block_delta", "index": 0,
           "delta": {"type": "text_delta", "text": "Low water at \u201c08:05\u201d."}}),
    chunk({"type": "content_block_stop", "index": 0}),
]
claude_end = [
    chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
           "usage": {"output_tokens": 126}}),
    chunk({"type": "message_stop"}, metrics(
        7, 126, cacheReadInputTokenCount=14486, cacheWriteInputTokenCount=2238)),
]
(folder / "invoke-claude-stream.bin").write_bytes(b"".join(claude + claude_end))
(folder / "invoke-claude-cut-off.bin").write_bytes(b"".join(claude))
error = frame("modelStreamErrorException",
              {"message": "The model's stream broke.", "originalStatusCode": 424}, "exception")
(folder / "invoke-exception.bin").write_bytes(b"".join(claude) + error)
nova = [
    chunk({"messageStart": {"role": "assistant"}}),
    chunk({"contentBlockDelta": {"delta": {"text": "The ferry "}, "contentBlockIndex": 0}}),
    chunk({"contentBlockDelta": {"delta": {"text": "waits."}, "contentBlockIndex": 0}}),
    chunk({"contentBlockStop": {"contentBlockIndex": 0}}),
    chunk({"messageStop": {"stopReason": "end_turn"}}),
]
nova_end = chunk({"metadata": {"usage": {
    "inputTokens": 21, "outputTokens": 9, "totalTokens": 542, "cacheReadInputTokenCount": 512,
    "cacheWriteInputTokenCount": 0}, "metrics": {}, "trace": {}}}, metrics(
        21, 9, cacheReadInputTokenCount=512, cacheWriteInputTokenCount=0))
(folder / "invoke-nova-stream.bin").write_bytes(b"".join(nova) + nova_end)
broken = bytearray(nova_end)
broken[-30] ^= 1
(folder / "invoke-corrupt.bin").write_bytes(b"".join(nova) + bytes(broken) + nova_end)


def llama(text, tokens_in, tokens_out, reason=None):
    return {"generation": text, "prompt_token_count": tokens_in,
            "generation_token_count": tokens_out, "stop_reason": reason}


runs = [chunk(llama("Fog ", 33, 1)), chunk(llama("over the mole", None, 4))]
(folder / "invoke-llama-stream.bin").write_bytes(
    b"".join(runs) + chunk(llama("", None, 6, "stop"), metrics(33, 6)))
(folder / "invoke-llama-cut-off.bin").write_bytes(b"".join(runs))
(folder / "invoke-mistral-stream.bin").write_bytes(
    chunk({"outputs": [{"text": "Ebb", "stop_reason": None}]})
    + chunk({"outputs": [{"text": ".", "stop_reason": "length"}]}, metrics(12, 2)))
