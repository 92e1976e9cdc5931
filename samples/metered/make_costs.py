# Writes into each NAME.….expected.json, and into recorded/expected.json beside this folder, what the
# answer costs by prices.yaml, in nanodollars; of a file of many answers, all of them together:
# decimal arithmetic of its own, from the published rules and not from the gateway's code.
# Usage: make_costs.py          (needs PyYAML)
import json
import re
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import yaml

folder = Path(__file__).parent
prices = yaml.safe_load((folder / "prices.yaml").read_text())
# Which model was asked for, where the answer does not name the one that ran.
asked = {
    "bedrock/": "harbour.quay-1", "gemini/embed": "gemini-embed-harbour",
    "openai/images": "quay-paint", "openai/speech": "quay-speak",
    "openai/transcription-seconds": "quay-listen-seconds",
    "openai/transcription-verbose": "quay-listen-seconds", "openai/transcription": "quay-listen",
}
units = {"PerMillion": 10**6, "PerThousand": 10**3, "Each": 1, "PerSecond": 1000}
keys = {
    "input_uncached": "inputPerMillion", "cache_read": "cacheReadPerMillion",
    "cache_write_5m": "cacheWrite5mPerMillion", "cache_write_30m": "cacheWrite30mPerMillion",
    "cache_write_1h": "cacheWrite1hPerMillion", "cache_write_12h": "cacheWrite12hPerMillion",
    "input_audio": "inputAudioPerMillion", "input_image": "inputImagePerMillion",
    "cache_read_audio": "cacheReadAudioPerMillion", "citations": "citationsPerMillion",
    "output_text": "outputPerMillion", "output_reasoning": "outputReasoningPerMillion",
    "output_image": "outputImagePerMillion", "output_audio": "outputAudioPerMillion",
    "web_searches": "webSearchesPerThousand", "web_searches_low": "webSearchesLowPerThousand",
    "maps_queries": "mapsQueriesPerThousand", "file_searches": "fileSearchesPerThousand",
    "code_sessions": "codeSessionEach", "audio_in_ms": "audioInPerSecond",
}
# Where a rate is not stated, this bucket's holds.
stands = {
    "output_reasoning": "output_text", "output_image": "output_text", "cache_read": "input_uncached",
    "input_image": "input_uncached", "input_audio": "input_uncached", "citations": "input_uncached",
    "cache_write_5m": "input_uncached", "cache_write_30m": "cache_write_5m",
    "cache_write_1h": "cache_write_5m", "cache_write_12h": "cache_write_1h",
}


def price(model):
    found = prices.get(model) or prices.get(re.sub(r"-(\d{8}|\d{4}-\d{2}-\d{2})$", "", model))
    return found[0]


def cost(model, usage, served):
    stated = price(model)
    tier, _, region = (served or "").partition("@")
    into = sum(n for b, n in usage.items() if b.startswith(("input", "cache", "citations")))
    for context in stated.get("tiers", []):
        if into > context["aboveInputTokens"]:
            stated = {**stated, **context}
    # No recording has both a context tier and a service tier.
    stated = {**stated, **stated.get("serviceTiers", {}).get(tier, {})}
    total = Decimal(0)
    for bucket, count in usage.items():
        kind = bucket
        while keys[kind] not in stated:
            kind = stands[kind]
        key = keys[kind]
        unit = next(size for word, size in units.items() if key.endswith(word))
        amount = Decimal(str(stated[key])) * count / unit * 10**9
        if key.endswith("PerMillion"):
            amount *= Decimal(str(stated.get("regions", {}).get(region, 1)))
        total += amount
    return int(total.to_integral_value(ROUND_CEILING))


def price_answer(name, expected):
    """What one answer costs, and the model that was asked for where it names none."""
    model = expected.get("response_model") or next(m for p, m in asked.items() if name.startswith(p))
    tier = expected.get("service_tier")
    if expected.get("job") and tier in (None, "default", "standard"):
        tier = "batch"
    total = cost(model, expected["usage"], tier)
    for other in expected.get("other_models") or []:
        total += cost(other["model"], other["usage"], tier)
    return model, total


def price_file(name, expected):
    expected.pop("cost_nanodollars", None)
    if "answers" in expected:
        expected["cost_nanodollars"] = sum(
            price_answer(name, {**answer, "job": expected.get("job")})[1]
            for answer in expected["answers"] if answer["usage"] is not None)
    elif expected["usage"] is not None:
        model, total = price_answer(name, expected)
        if not expected.get("response_model"):
            expected["asked_model"] = model
        expected["cost_nanodollars"] = total


def write(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


for path in sorted(folder.rglob("*.expected.json")):
    expected = json.loads(path.read_text())
    price_file(str(path.relative_to(folder)), expected)
    write(path, expected)
path = folder.parent / "recorded" / "expected.json"
recorded = json.loads(path.read_text())
for name, expected in recorded.items():
    price_file("recorded/" + name, expected)
write(path, recorded)
