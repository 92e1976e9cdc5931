# What tiktoken itself makes of texts. Reads a JSON list of them from standard input and prints a list
# of {"counts": tokens in cl100k_base and o200k_base, "pieces": the lengths in bytes of the pieces that
# the two patterns find, by the regex module}. Its lists are those that the bpe-openai wheel holds;
# tiktoken checks their SHA-256, and would else fetch them.
import gzip
import hashlib
import json
import os
import pathlib
import sys
import tempfile

import bpe_openai
import regex
import tiktoken

NAMES = ["cl100k_base", "o200k_base"]
data = pathlib.Path(bpe_openai.__file__).parent / "data"
texts = json.load(sys.stdin)
with tempfile.TemporaryDirectory() as cache:
    for name in NAMES:
        url = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
        place = pathlib.Path(cache) / hashlib.sha1(url.encode()).hexdigest()
        place.write_bytes(gzip.decompress((data / f"{name}.tiktoken.gz").read_bytes()))
    os.environ["TIKTOKEN_CACHE_DIR"] = cache
    encodings = [tiktoken.get_encoding(name) for name in NAMES]
patterns = [regex.compile(encoding._pat_str) for encoding in encodings]


def made_of(text):
    return {
        "counts": [len(encoding.encode_ordinary(text)) for encoding in encodings],
        "pieces": [[len(piece.encode()) for piece in p.findall(text)] for p in patterns],
    }


json.dump([made_of(text) for text in texts], sys.stdout)
