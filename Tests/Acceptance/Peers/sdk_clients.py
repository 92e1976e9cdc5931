# Drives the official openai, anthropic and google-genai packages and prints all that they saw as
# JSON: once against a provider, once against a gateway before it, and the two must be the same.
# Usage: sdk_clients.py RUN OPENAI_URL ANTHROPIC_URL GEMINI_URL KEY
import hashlib
import json
import sys

import anthropic
import openai
from google import genai
from google.genai import types

run, openai_url, anthropic_url, gemini_url, key = sys.argv[1:6]
seen = {}
headers = {"x-run": run}


def note(name, call):
    try:
        value = call()
    except Exception as fault:  # Whatever a package raises is what its caller sees.
        value = {"raised": type(fault).__name__, "status": getattr(fault, "status_code", None),
                 "code": getattr(fault, "code", None), "message": str(getattr(fault, "message", ""))}
    seen[name] = value


def plain(model):
    return json.loads(model.model_dump_json())


# openai
client = openai.OpenAI(base_url=openai_url, api_key=key, max_retries=2, default_headers=headers)
messages = [{"role": "user", "content": "Tide?"}]
tools = [{"type": "function", "function": {"name": "tide", "parameters": {"type": "object"}}}]


def chat(model, **more):
    return client.chat.completions.create(
        model=model, messages=messages, max_completion_tokens=50, **more)


note("openai.plain", lambda: plain(chat("quay-plain")))
note("openai.tools", lambda: plain(chat("quay-plain", tools=tools)))
note("openai.stream", lambda: [
    plain(chunk) for chunk in chat("quay-stream", stream=True,
                                   stream_options={"include_usage": True})])
note("openai.retry", lambda: plain(chat("quay-retry")))
note("openai.error", lambda: plain(chat("quay-error")))
note("openai.timeout", lambda: plain(client.with_options(timeout=1, max_retries=0).chat.completions
                                     .create(model="quay-slow", messages=messages, max_tokens=5)))
note("openai.responses", lambda: plain(client.responses.create(
    model="quay-response", input="Tide?", max_output_tokens=50)))
note("openai.responses.stream", lambda: [plain(event) for event in client.responses.create(
    model="quay-response-stream", input="Tide?", max_output_tokens=50, stream=True)])
note("openai.embeddings", lambda: plain(client.embeddings.create(
    model="quay-embed", input=["one", "two"], encoding_format="float")))
note("openai.completions", lambda: [plain(chunk) for chunk in client.completions.create(
    model="quay-legacy", prompt="Tide?", max_tokens=16, stream=True,
    stream_options={"include_usage": True})])
note("openai.image", lambda: plain(client.images.generate(
    model="gpt-image-1", prompt="A harbour", quality="low")))
note("openai.image.stream", lambda: [plain(event) for event in client.images.generate(
    model="gpt-image-1-mini", prompt="A harbour", stream=True, partial_images=1)])
note("openai.image.edit", lambda: plain(client.images.edit(
    model="gpt-image-1", prompt="A gull", quality="low",
    image=[("a.png", b"\x89PNG", "image/png"), ("b.png", b"\x89PNG", "image/png")])))
note("openai.transcription", lambda: plain(client.audio.transcriptions.create(
    model="quay-listen", file=("a.ogg", b"OggS", "audio/ogg"))))
note("openai.transcription.stream", lambda: [
    plain(event) for event in client.audio.transcriptions.create(
        model="quay-listen-stream", file=("a.ogg", b"OggS", "audio/ogg"), stream=True)])
note("openai.speech", lambda: hashlib.sha256(client.audio.speech.create(
    model="quay-speak", voice="alloy", input="Ebb at nine.").content).hexdigest())
note("openai.speech.stream", lambda: client.audio.speech.create(
    model="quay-speak-stream", voice="alloy", input="Ebb at nine.", stream_format="sse").text)


def batch():
    """Uploads a request, makes a batch of it, and reads what came of it."""
    line = {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions",
            "body": {"model": "quay-batch", "messages": messages, "max_completion_tokens": 50}}
    text = json.dumps(line).encode() + b"\n"
    file = client.files.create(file=("a.jsonl", text), purpose="batch")
    made = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions",
                                 completion_window="24h")
    ended = client.batches.retrieve(made.id)
    return [plain(file), plain(made), plain(ended),
            client.files.content(ended.output_file_id).text]


note("openai.batch", batch)
note("openai.models", lambda: [model.id for model in client.models.list()])

# anthropic
claude = anthropic.Anthropic(
    base_url=anthropic_url, api_key=key, max_retries=2, default_headers=headers)


def message(model, **more):
    return claude.messages.create(model=model, max_tokens=50, messages=messages, **more)


note("anthropic.plain", lambda: plain(message("claude-plain")))
note("anthropic.stream", lambda: [plain(event) for event in message("claude-stream", stream=True)])
note("anthropic.cache", lambda: [plain(event) for event in message("claude-cache", stream=True)])


def helper():
    with claude.messages.stream(model="claude-stream", max_tokens=50, messages=messages) as stream:
        return plain(stream.get_final_message())


note("anthropic.helper", helper)
note("anthropic.retry", lambda: plain(message("claude-retry")))
note("anthropic.error", lambda: plain(message("claude-error")))
note("anthropic.timeout", lambda: plain(
    claude.with_options(timeout=1, max_retries=0).messages.create(
        model="claude-slow", max_tokens=5, messages=messages)))
note("anthropic.count", lambda: plain(
    claude.messages.count_tokens(model="claude-plain", messages=messages)))

# google-genai
gemini = genai.Client(api_key=key, http_options=types.HttpOptions(
    base_url=gemini_url, headers=headers, timeout=10_000))
config = types.GenerateContentConfig(max_output_tokens=50)


def generate(model):
    return gemini.models.generate_content(model=model, contents="Tide?", config=config)


def bare(answer):
    value = plain(answer)
    value.pop("sdk_http_response", None)
    return value


note("gemini.plain", lambda: bare(generate("gemini-plain")))
note("gemini.stream", lambda: [bare(chunk) for chunk in gemini.models.generate_content_stream(
    model="gemini-stream", contents="Tide?", config=config)])
note("gemini.blocked", lambda: bare(generate("gemini-blocked")))
note("gemini.error", lambda: bare(generate("gemini-error")))
note("gemini.count", lambda: bare(gemini.models.count_tokens(
    model="gemini-plain", contents="Tide?")))
print(json.dumps(seen))
