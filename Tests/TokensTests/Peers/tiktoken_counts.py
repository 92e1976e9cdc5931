# What tiktoken itself counts. Reads a JSON list of texts from standard input and prints a list of
# [tokens in cl100k_base, tokens in o200k_base]. Its lists are those that the bpe-openai wheel holds;
# tiktoken checks their SHA-256, and would else fetch them.
import gzip
import hashlib
import json
import os
import pathlib
import sys
import tempfile

import bpe_openai
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
counts = [[len(encoding.encode_ordinary(text)) for encoding in encodings] for text in texts]
json.dump(counts, sys.stdout)
