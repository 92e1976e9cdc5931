"""Coded answers for CodedAnswerTests.swift: `python3 make.py > answers.json`."""
import base64
import json
import zlib

JSON = (
    '{"id":"c1","object":"chat.completion","model":"gpt-test","choices":[{"index":0,"message":'
    '{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}'
)
EVENT = 'data: {"id":"c1","model":"gpt-test","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
USAGE = (
    'data: {"id":"c1","model":"gpt-test","choices":[],"usage":{"prompt_tokens":10,'
    '"completion_tokens":7,"total_tokens":17}}\n\n'
)
STREAM = EVENT % "one " + EVENT % "two" + USAGE + "data: [DONE]\n\n"
BOMB = JSON.replace("hello", "a" * 2_000_000)


def coded(content, wbits, flushes=False):
    packer = zlib.compressobj(6, zlib.DEFLATED, wbits)
    parts = [content.encode()]
    if flushes:
        parts = [event.encode() + b"\n\n" for event in content.split("\n\n")[:-1]]
    body = b"".join(
        packer.compress(part) + (packer.flush(zlib.Z_SYNC_FLUSH) if flushes else b"")
        for part in parts
    )
    return base64.b64encode(body + packer.flush()).decode()


print(
    json.dumps(
        {
            "json gzip": coded(JSON, 31),
            "json zlib": coded(JSON, 15),
            "json raw": coded(JSON, -15),
            "stream gzip": coded(STREAM, 31),
            "stream gzip flushed": coded(STREAM, 31, flushes=True),
            "stream zlib": coded(STREAM, 15),
            "bomb gzip": coded(BOMB, 31),
        },
        indent=1,
    )
)
