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


def collected(stream):
    """What came of a stream, and what ended it."""
    chunks = []
    try:
        for chunk in stream:
            chunks.append(plain(chunk))
    except Exception as fault:
        return [chunks, type(fault).__name__, str(fault)]
    return [chunks, "ended"]


# openai
client = openai.OpenAI(base_url=openai_url, api_key=key, max_retries=2, default_headers=headers)
messages = [{"role": "user", "content": "Tide?"}]
tools = [{"type": "function", "function": {"name": "tide", "parameters": {"type": "object"}}}]


def chat(model, **more):
    return client.chat.completions.create(
        model=model, messages=messages, max_completion_tokens=50, **more)


note("openai.plain", lambda: plain(chat("quay-plain")))
note("openai.tools", lambda: plain(chat("quay-tools", tools=tools)))
note("openai.tools.stream", lambda: [plain(chunk) for chunk in chat(
    "quay-tools-stream", tools=tools, stream=True, stream_options={"include_usage": True})])
note("openai.stream", lambda: [
    plain(chunk) for chunk in chat("quay-stream", stream=True,
                                   stream_options={"include_usage": True})])
note("openai.retry", lambda: plain(chat("quay-retry")))
note("openai.error", lambda: plain(chat("quay-error")))
note("openai.down", lambda: plain(chat("quay-down")))
note("openai.torn", lambda: collected(chat("quay-torn", stream=True)))
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
note("openai.moderations", lambda: plain(client.moderations.create(input="Tide?")))
note("openai.stored", lambda: plain(client.responses.retrieve("resp_q1")))
note("openai.models", lambda: [model.id for model in client.models.list()])

# anthropic
claude = anthropic.Anthropic(
    base_url=anthropic_url, api_key=key, max_retries=2, default_headers=headers)


def message(model, **more):
    return claude.messages.create(model=model, max_tokens=50, messages=messages, **more)


note("anthropic.plain", lambda: plain(message("claude-plain")))
note("anthropic.stream", lambda: [plain(event) for event in message("claude-stream", stream=True)])
note("anthropic.cache", lambda: [plain(event) for event in message("claude-cache", stream=True)])


def message_batch():
    """Makes a batch, looks at it and reads its results, whose address the provider gives."""
    made = claude.messages.batches.create(requests=[{"custom_id": "one", "params": {
        "model": "claude-batch", "max_tokens": 50, "messages": messages}}])
    ended = claude.messages.batches.retrieve(made.id)
    read = [plain(line) for line in claude.messages.batches.results(made.id)]
    # The address is another behind a gateway; that it can be read is what counts.
    return [made.id, ended.processing_status, bool(ended.results_url), read]


note("anthropic.batch", message_batch)


def helper():
    with claude.messages.stream(model="claude-stream", max_tokens=50, messages=messages) as stream:
        return plain(stream.get_final_message())


note("anthropic.helper", helper)
claude_tools = [{"name": "tide", "input_schema": {"type": "object"}}]
note("anthropic.tools", lambda: plain(message("claude-tools", tools=claude_tools)))
note("anthropic.tools.stream", lambda: [
    plain(event) for event in message("claude-stream", tools=claude_tools, stream=True)])
note("anthropic.down", lambda: plain(message("claude-down")))
note("anthropic.torn", lambda: collected(message("claude-torn", stream=True)))
note("anthropic.retry", lambda: plain(message("claude-retry")))
note("anthropic.error", lambda: plain(message("claude-error")))
note("anthropic.timeout", lambda: plain(
    claude.with_options(timeout=1, max_retries=0).messages.create(
        model="claude-slow", max_tokens=5, messages=messages)))
note("anthropic.count", lambda: plain(
    claude.messages.count_tokens(model="claude-plain", messages=messages)))

# google-genai
options = {"base_url": gemini_url, "headers": headers}
retries = types.HttpRetryOptions(attempts=3, initial_delay=0.01, max_delay=0.02)
gemini = genai.Client(api_key=key, http_options=types.HttpOptions(
    timeout=10_000, retry_options=retries, **options))
hasty = genai.Client(api_key=key, http_options=types.HttpOptions(
    timeout=1_000, retry_options=types.HttpRetryOptions(attempts=1), **options))
config = types.GenerateContentConfig(max_output_tokens=50)
tide = types.GenerateContentConfig(max_output_tokens=50, tools=[types.Tool(
    function_declarations=[types.FunctionDeclaration(name="tide", parameters={"type": "OBJECT"})])])


def generate(model, config=config, client=gemini):
    return client.models.generate_content(model=model, contents="Tide?", config=config)


def generated(model, config=config):
    return gemini.models.generate_content_stream(model=model, contents="Tide?", config=config)


def bare(answer):
    value = plain(answer)
    value.pop("sdk_http_response", None)
    return value


def bared(stream):
    chunks = collected(stream)
    for chunk in chunks[0]:
        chunk.pop("sdk_http_response", None)
    return chunks


note("gemini.plain", lambda: bare(generate("gemini-plain")))
note("gemini.stream", lambda: bared(generated("gemini-stream")))
note("gemini.tools", lambda: bare(generate("gemini-tools", tide)))
note("gemini.tools.stream", lambda: bared(generated("gemini-tools-stream", tide)))
note("gemini.blocked", lambda: bare(generate("gemini-blocked")))
note("gemini.error", lambda: bare(generate("gemini-error")))
note("gemini.down", lambda: bare(generate("gemini-down")))
note("gemini.torn", lambda: bared(generated("gemini-torn")))
note("gemini.retry", lambda: bare(generate("gemini-retry")))
note("gemini.timeout", lambda: bare(generate("gemini-slow", client=hasty)))
note("gemini.count", lambda: bare(gemini.models.count_tokens(
    model="gemini-plain", contents="Tide?")))
print(json.dumps(seen))
