"""llama.py MODEL PORT KEY: runs llama.cpp's server locally until its standard input is closed."""

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
# The parent process holds the other end, which closes when it exits.
sys.stdin.read()
