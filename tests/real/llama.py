"""llama.py MODEL PORT KEY: llama.cpp's server on this machine, until its standard input ends."""

import sys

import xllamacpp

model, port, key = sys.argv[1:4]
parameters = xllamacpp.CommonParams()
parameters.model.path = model
parameters.model_alias = {"tiny", "tiny-judge"}
parameters.hostnames = ["127.0.0.1"]
parameters.port = int(port)
parameters.api_keys = [key]
# Two slots, so that calls queue; each has half of the context.
parameters.n_parallel = 2
parameters.n_ctx = 16384
parameters.warmup = False
parameters.cpuparams.n_threads = 1
server = xllamacpp.Server(parameters)
print("ready", flush=True)
# Whoever started this holds the other end; it closes with them, however they end.
sys.stdin.read()
