# What LiteLLM's own calculator makes of calls. Reads a JSON list of cases from a file and prints a
# list of costs, in nanodollars as decimal text; a case that it cannot price is its error's name.
# Usage: litellm_costs.py FILE
import json
import os
import sys
from decimal import Decimal

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm  # noqa: E402
from litellm.cost_calculator import cost_per_token  # noqa: E402
from litellm.types.utils import (  # noqa: E402
    CacheCreationTokenDetails,
    CompletionTokensDetailsWrapper,
    PromptTokensDetailsWrapper,
    Usage,
)

litellm.suppress_debug_info = True


def cost(case):
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
