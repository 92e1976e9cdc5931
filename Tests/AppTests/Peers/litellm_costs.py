# What LiteLLM's own calculator makes of calls. Reads a JSON list of cases from a file and prints a
# list of costs, in nanodollars as decimal text; a case that it cannot price is its error's name.
# Usage: litellm_costs.py FILE
import json
import os
import sys
from decimal import Decimal

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm  # noqa: E402
from litellm.cost_calculator import (  # noqa: E402
    batch_cost_calculator,
    cost_per_token,
    default_image_cost_calculator,
)
from litellm.litellm_core_utils.llm_cost_calc.tool_call_cost_tracking import (  # noqa: E402
    StandardBuiltInToolCostTracking as Tools,
)
from litellm.types.utils import (  # noqa: E402
    CacheCreationTokenDetails,
    CompletionTokensDetailsWrapper,
    PromptTokensDetailsWrapper,
    Usage,
)

litellm.suppress_debug_info = True


def unit_cost(case):
    """Of units that are no tokens; `kind` tells which."""
    model, provider, count = case["model"], case["provider"], case["usage"].get
    kind = case["kind"]
    if kind == "characters":
        return cost_per_token(
            model=model, custom_llm_provider=provider, call_type="speech",
            prompt_characters=count("characters_in", 0))
    if kind == "seconds":
        return cost_per_token(
            model=model, custom_llm_provider=provider, call_type="transcription",
            audio_transcription_file_duration=count("audio_in_ms", 0) / 1000)
    if kind in ("pictures", "sized pictures"):
        return [default_image_cost_calculator(
            model=model, custom_llm_provider=provider, quality=case.get("quality"),
            n=case["pictures"], size=case.get("size"))]
    if kind == "queries":
        return cost_per_token(
            model=model, custom_llm_provider=provider, call_type="rerank",
            rerank_billed_units={"search_units": count("queries", 0)})
    if kind == "sessions":
        return [Tools.get_cost_for_code_interpreter(
            sessions=count("code_sessions", 0), provider=provider)]
    size = {"web_searches": "medium", "web_searches_low": "low", "web_searches_high": "high"}
    (bucket, number), = case["usage"].items()
    return [number * Tools.get_cost_for_web_search(
        {"search_context_size": size[bucket]},
        litellm.get_model_info(model=model, custom_llm_provider=provider))]


UNITS = {
    "characters", "seconds", "pictures", "sized pictures", "queries", "sessions", "searches",
}


def cost(case):
    if case["kind"] in UNITS:
        return str(sum(Decimal(repr(part)) for part in unit_cost(case)) * 10**9)
    count = case["usage"].get
    five, hour = count("cache_write_5m", 0), count("cache_write_1h", 0)
    read = count("cache_read", 0)
    text_in = count("input_uncached", 0)
    audio_in = count("input_audio", 0)
    text_out = count("output_text", 0)
    reasoning = count("output_reasoning", 0)
    audio_out = count("output_audio", 0)
    prompt = text_in + audio_in + read + five + hour
    completion = text_out + reasoning + audio_out
    creation = CacheCreationTokenDetails(
        ephemeral_5m_input_tokens=five, ephemeral_1h_input_tokens=hour)
    usage = Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=read, audio_tokens=audio_in, text_tokens=text_in,
            cache_creation_tokens=five + hour, cache_creation_token_details=creation),
        completion_tokens_details=CompletionTokensDetailsWrapper(
            reasoning_tokens=reasoning, audio_tokens=audio_out, text_tokens=text_out),
        cache_creation_input_tokens=five + hour,
        cache_read_input_tokens=read,
    )
    if case.get("tier") == "batch":
        parts = batch_cost_calculator(
            usage=usage, model=case["model"], custom_llm_provider=case["provider"])
        return str(sum(Decimal(repr(part)) for part in parts) * 10**9)
    parts = cost_per_token(
        model=case["model"], custom_llm_provider=case["provider"], usage_object=usage,
        service_tier=case.get("tier"))
    return str(sum(Decimal(repr(part)) for part in parts) * 10**9)


costs = []
for case in json.load(open(sys.argv[1])):
    try:
        costs.append(cost(case))
    except Exception as fault:
        costs.append(type(fault).__name__)
print(json.dumps({"version": getattr(litellm, "__version__", ""), "costs": costs}))
