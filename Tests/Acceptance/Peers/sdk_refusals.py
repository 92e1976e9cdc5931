# Drives the official openai, anthropic and google-genai packages into what a gateway refuses and
# into streams that it ends, and prints what their callers see, with the number of tries, as JSON.
# Usage: sdk_refusals.py GATEWAY_URL KEY BROKE_KEY
import importlib
import json
import sys

import anthropic
import openai
from google import genai
from google.genai import types

gateway, key, broke_key = sys.argv[1:4]
tries = 0
for name in ["httpx", "httpx2"]:  # What these packages send with.
    try:
        library = importlib.import_module(name)
    except ImportError:
        continue

    def counted(send):
        def count(*positional, **named):
            global tries
            tries += 1
            return send(*positional, **named)
        return count

    library.Client.send = counted(library.Client.send)

seen = {}
messages = [{"role": "user", "content": "Tide?"}]


def note(name, call):
    global tries
    tries = 0
    parts = 0
    try:
        for _ in call():
            parts += 1
        value = {"type": "none"}
    except Exception as fault:
        status = getattr(fault, "status_code", None) or getattr(fault, "code", None)
        value = {"type": type(fault).__name__, "status": status, "message": str(fault)}
    seen[name] = {**value, "tries": tries, "parts": parts}


for kind, api_key, suffix in [("refused", broke_key, "plain"), ("cut", key, "flood")]:
    streams = kind == "cut"
    client = openai.OpenAI(base_url=gateway + "/oai/v1", api_key=api_key)
    claude = anthropic.Anthropic(base_url=gateway + "/claude", api_key=api_key)
    # It tries once unless told otherwise; then it tries any 429 again, whatever the answer says.
    gemini = genai.Client(
        api_key=api_key, http_options=types.HttpOptions(base_url=gateway + "/gem"))
    config = types.GenerateContentConfig(max_output_tokens=5)
    note(f"openai.{kind}", lambda: client.chat.completions.create(
        model=f"quay-{suffix}", messages=messages, max_tokens=5, stream=streams))
    note(f"responses.{kind}", lambda: client.responses.create(
        model=f"quay-{suffix}", input="Tide?", max_output_tokens=16, stream=streams))
    note(f"anthropic.{kind}", lambda: claude.messages.create(
        model=f"claude-{suffix}", max_tokens=5, messages=messages, stream=streams))
    note(f"gemini.{kind}", lambda: gemini.models.generate_content_stream(
        model=f"gemini-{suffix}", contents="Tide?", config=config))
print(json.dumps(seen))
