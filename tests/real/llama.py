"""llama.py MODEL PORT KEY NAMES SLOTS CONTEXT: runs llama.cpp's server locally until its standard input is closed.

NAMES are the names of the model, separated by commas. CONTEXT is the number of tokens of all SLOTS together.
"""

import sys

import xllamacpp

model, port, key, names, slots, context = sys.argv[1:7]
parameters = xllamacpp.CommonParams()
parameters.model.path = model
parameters.model_alias = set(names.split(","))
parameters.hostnames = ["127.0.0.1"]
parameters.port = int(port)
parameters.api_keys = [key]
parameters.n_parallel = int(slots)
parameters.n_ctx = int(context)
parameters.warmup = False
# More threads wait for each other in a busy loop, which on shared cores takes minutes for an answer.
parameters.cpuparams.n_threads = 1
server = xllamacpp.Server(parameters)
print("ready", flush=True)
# The parent process holds the other end, which closes when it exits.
sys.stdin.read()
