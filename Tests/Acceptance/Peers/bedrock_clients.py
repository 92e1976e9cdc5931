# Drives botocore's client and Anthropic's package for Bedrock with a gateway's key, which they take
# for a bearer key of AWS's, and prints what they saw as JSON. Bearer keys they send over TLS only.
# Usage: bedrock_clients.py URL KEY CERTIFICATE
import json
import os
import ssl
import sys

url, key, certificate = sys.argv[1:4]
os.environ["AWS_BEARER_TOKEN_BEDROCK"] = key
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

import anthropic  # noqa: E402
import botocore.session  # noqa: E402
from botocore.config import Config  # noqa: E402

seen = {}
client = botocore.session.get_session().create_client(
    "bedrock-runtime", region_name="eu-west-1", endpoint_url=url, verify=certificate,
    config=Config(retries={"total_max_attempts": 1}))
claude = "eu.anthropic.claude-quay-v1:0"
profile = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/"
message = {"messages": [{"role": "user", "content": [{"text": "Tide? \u6f6e"}]}]}
anthropics = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 200,
              "messages": [{"role": "user", "content": "Tide?"}]}


def note(name, call):
    try:
        value = call()
    except Exception as fault:  # Whatever a package raises is what its caller sees.
        value = {"raised": type(fault).__name__, "message": str(fault)}
    seen[name] = value


def invoke(model, body):
    answer = client.invoke_model(modelId=model, body=json.dumps(body), trace="ENABLED")
    return json.loads(answer["body"].read())


def chunks(model, body):
    answer = client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    return [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]


note("converse", lambda: client.converse(
    modelId="anthropic.claude-quay-v1:0", inferenceConfig={"maxTokens": 50}, **message)["usage"])
# The gateway puts the bound in, and signs what it made of the body.
note("converse.stream", lambda: [next(iter(event)) for event in client.converse_stream(
    modelId="anthropic.claude-quay-v1:0", **message)["stream"]])
note("invoke", lambda: invoke(claude, anthropics)["usage"])
note("invoke.profile", lambda: invoke(profile + claude, anthropics)["usage"])
note("invoke.stream", lambda: len(chunks(claude, anthropics)))
note("invoke.nova", lambda: chunks(
    "amazon.nova-quay-v1:0", {**message, "inferenceConfig": {"maxTokens": 50}})[-1]["metadata"])
note("invoke.cohere", lambda: invoke(
    "cohere.command-r-quay-v1:0", {"message": "Berths?", "max_tokens": 50})["text"])
note("invoke.embed", lambda: invoke("amazon.titan-embed-text-quay", {"inputText": "tide"}))
note("unknown", lambda: invoke("meta.llama-quay", {"prompt": "p", "max_gen_len": 5}))
bedrock = anthropic.AnthropicBedrock(
    base_url=url, aws_region="eu-west-1", api_key=key, max_retries=0,
    http_client=anthropic.DefaultHttpxClient(verify=ssl.create_default_context(cafile=certificate)))
note("anthropic", lambda: json.loads(bedrock.messages.create(
    model=claude, max_tokens=200,
    messages=[{"role": "user", "content": "Tide?"}]).model_dump_json())["usage"])
note("anthropic.stream", lambda: [event.type for event in bedrock.messages.create(
    model=claude, max_tokens=200, stream=True,
    messages=[{"role": "user", "content": "Tide?"}])])
print(json.dumps(seen))
