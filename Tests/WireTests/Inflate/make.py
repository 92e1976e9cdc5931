"""Compressed bodies for the tests in the folder above, made by zlib through Python.

`python3 make.py > vectors.json` makes the fixed ones: a name, a format, the coded bytes, and the
content as a unit that is repeated. `python3 make.py random SEED COUNT` prints random ones, half of
them damaged, each with what zlib says of it: `whole` and the content, or `broken`.
"""
import base64
import gzip
import json
import random
import struct
import sys
import zlib

TEXT = json.dumps(
    {
        "id": "c1",
        "model": "gpt-test",
        "choices": [
            {"index": i, "message": {"role": "assistant", "content": f"Answer {i} {i * i * 7919}"}}
            for i in range(12)
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
).encode()


def compress(content, wbits, level=6, strategy=zlib.Z_DEFAULT_STRATEGY, flush=None):
    packer = zlib.compressobj(level, zlib.DEFLATED, wbits, 8, strategy)
    if flush is None:
        return packer.compress(content) + packer.flush()
    coded = b""
    for start in range(0, len(content), 50):
        coded += packer.compress(content[start:start + 50]) + packer.flush(flush)
    return coded + packer.flush()


def gzip_with_all_fields(content):
    """Extra field, name, comment and header checksum, which zlib never writes."""
    head = b"\x1f\x8b\x08\x1e" + struct.pack("<I", 1795000000) + b"\x00\x03"
    head += struct.pack("<H", 5) + b"extra" + b"name.json\0" + b"a comment\0"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    tail = struct.pack("<II", zlib.crc32(content), len(content))
    return head + compress(content, -15) + tail


def vectors():
    wraps = [("gzip", "gzip", 31), ("zlib", "deflate", 15), ("raw", "deflate", -15)]
    for name, form, wbits in wraps:
        yield f"{name} empty", form, compress(b"", wbits), b"", 1
        yield f"{name} one byte", form, compress(b"x", wbits), b"x", 1
        for level in range(10):
            yield f"{name} level {level}", form, compress(TEXT, wbits, level), TEXT, 1
        fixed = compress(TEXT[:300], wbits, 9, zlib.Z_FIXED)
        yield f"{name} fixed", form, fixed, TEXT[:300], 1
        coded = compress(TEXT, wbits, 9, zlib.Z_HUFFMAN_ONLY)
        yield f"{name} without repetitions", form, coded, TEXT, 1
        coded = compress(TEXT[:600], wbits, 9, flush=zlib.Z_SYNC_FLUSH)
        yield f"{name} flushed", form, coded, TEXT[:600], 1
        yield f"{name} one letter", form, compress(b"a" * 100_000, wbits, 9), b"a", 100_000
        unit = bytes(random.Random(7).randbytes(700))
        yield f"{name} several windows", form, compress(unit * 200, wbits), unit, 200
    # Code words of all lengths up to 15 bits: each letter twice as frequent as the next.
    skewed = b"".join(bytes([65 + i]) * (1 << i) for i in range(16))
    shuffled = bytes(random.Random(1).sample(skewed, len(skewed)))[:9000] + bytes(range(65, 81))
    yield "gzip long code words", "gzip", compress(shuffled, 31, 9, zlib.Z_HUFFMAN_ONLY), shuffled, 1
    yield "gzip all header fields", "gzip", gzip_with_all_fields(TEXT), TEXT, 1
    two = compress(TEXT[:100], 31) + compress(b"", 31) + gzip_with_all_fields(TEXT[100:])
    yield "gzip members", "gzip", two, TEXT, 1
    yield "gzip module", "gzip", gzip.compress(TEXT, 6, mtime=0), TEXT, 1
    yield "gzip zeros behind", "gzip", compress(TEXT, 31) + bytes(20), TEXT, 1


def judge(form, coded):
    """What zlib makes of it: the content, or None where it is broken or cut."""
    content = b""
    try:
        if form == "deflate":
            head = coded[:2]
            wrapped = len(head) == 2 and head[0] & 15 == 8 and head[0] >> 4 <= 7
            wrapped = wrapped and (head[0] << 8 | head[1]) % 31 == 0
            unpacker = zlib.decompressobj(15 if wrapped else -15)
            content = unpacker.decompress(coded)
            return content if unpacker.eof else None
        while True:
            unpacker = zlib.decompressobj(31)
            content += unpacker.decompress(coded)
            if not unpacker.eof:
                return None
            coded = unpacker.unused_data
            if not coded.startswith(b"\x1f\x8b"):
                return content
    except zlib.error:
        return None


def random_content(dice):
    alphabet = dice.choice([b"ab", b"{}\":, \n01etaoin", bytes(range(256))])
    content = bytes(dice.choices(alphabet, k=dice.choice([0, 1, 10, 300, 3000])))
    if dice.random() < 0.4:
        content = content * dice.randint(1, 30)
    if dice.random() < 0.2:
        content += bytes(dice.randint(0, 70_000)) + content[:50]
    return content


def random_vectors(seed, count):
    dice = random.Random(seed)
    for _ in range(count):
        form, wbits = dice.choice([("gzip", 31), ("deflate", 15), ("deflate", -15)])
        coded = b""
        for _ in range(dice.randint(1, 3) if form == "gzip" else 1):
            strategy = dice.choice([0, 0, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE])
            flush = dice.choice([None, None, None, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH])
            content = random_content(dice)[: 3000 if flush else None]
            coded += compress(content, wbits, dice.randint(0, 9), strategy, flush)
        if dice.random() < 0.5:
            damaged = bytearray(coded)
            for _ in range(dice.randint(1, 3)):
                place = dice.randrange(min(len(damaged), dice.choice([20, 100_000])))
                damaged[place] = damaged[place] ^ 1 << dice.randrange(8)
            coded = bytes(damaged)
            if dice.random() < 0.2:
                coded = coded[: dice.randint(0, len(coded))]
        yield form, coded, judge(form, coded)


def text(data):
    return base64.b64encode(data).decode()


if len(sys.argv) > 1:
    for form, coded, content in random_vectors(int(sys.argv[2]), int(sys.argv[3])):
        verdict = "broken" if content is None else "whole"
        print(form, verdict, text(coded) or "-", text(content or b"") or "-")
else:
    rows = [
        json.dumps(
            {"name": n, "format": f, "coded": text(c), "unit": text(u), "repeats": r}
        )
        for n, f, c, u, r in vectors()
    ]
    print("[\n" + ",\n".join(rows) + "\n]")
