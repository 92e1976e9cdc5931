# Drives the official openai package against a gateway, and prints what it saw as JSON.
# Usage: openai_client.py BASE_URL KEY CAPPED_KEY
import json
import sys

import openai

base_url, key, capped_key = sys.argv[1:4]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=2)
seen = {"version": openai.__version__}
messages = [{"role": "user", "content": "Say something short."}]

answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages, max_tokens=200)
seen["plain"] = {
    "text": answer.choices[0].message.content,
    "prompt_tokens": answer.usage.prompt_tokens,
    "completion_tokens": answer.usage.completion_tokens,
}


def stream(**more):
    text, usages, chunks = "", [], 0
    for chunk in client.chat.completions.create(
        model="gpt-4o-mini", messages=messages, max_tokens=200, stream=True, **more
    ):
        chunks += 1
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
        if chunk.usage:
            usages.append([chunk.usage.prompt_tokens, chunk.usage.completion_tokens])
    return {"text": text, "usages": usages, "chunks": chunks}


seen["stream"] = stream()
seen["stream_usage"] = stream(stream_options={"include_usage": True})


def error(call):
    tries = []
    hook = openai.DefaultHttpxClient(event_hooks={"request": [lambda request: tries.append(1)]})
    try:
        call(hook)
        return {"type": "none"}
    except openai.APIStatusError as fault:
        return {
            "type": type(fault).__name__,
            "status": fault.status_code,
            "code": fault.code,
            "message": str(fault.body.get("message") if isinstance(fault.body, dict) else fault),
            "tries": len(tries),
            "denial": fault.response.headers.get("x-leeway-denial"),
        }


def chat(api_key, model):
    return lambda http: openai.OpenAI(
        base_url=base_url, api_key=api_key, http_client=http
    ).chat.completions.create(model=model, messages=messages, max_tokens=200)


seen["bad_key"] = error(chat("lw_wrong", "gpt-4o-mini"))
seen["capped"] = error(chat(capped_key, "gpt-4o-mini"))
seen["forbidden"] = error(chat(key, "gpt-4o"))
seen["models"] = None
try:
    seen["models"] = [model.id for model in client.models.list()]
except openai.APIStatusError as fault:
    seen["models"] = fault.status_code
print(json.dumps(seen))
