"""model.py FILE: writes a llama model of random weights, small enough to answer in milliseconds.

The text is meaningless; only the protocol of the server matters. The vocabulary is single bytes, ASCII and a few words. Dimension
0 of the residual stream carries a constant, which makes column 0 of the output matrix a bias: with it text is common,
raw bytes and control tokens are rare, and an answer ends after some dozen tokens.
"""

import sys

import gguf
import numpy

LAYERS, WIDTH, HEADS, INNER, CONTEXT = 2, 48, 4, 96, 16384
CONSTANT = 6.0
WORDS = "the a of to in is for and on with by at from days refund plan order gives support parcel price yes no".split()

generator = numpy.random.default_rng(20)
SPACE = "\u2581"
control = ["<unk>", "<s>", "</s>"]
raw = [f"<0x{byte:02X}>" for byte in range(256)]
text = [SPACE + word for word in WORDS] + [SPACE, "\n"] + [chr(code) for code in range(33, 127)]
tags = ["<|turn|>", "<|end|>"]
tokens = control + raw + text + tags
kinds = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * 2
kinds += [gguf.TokenType.BYTE] * len(raw) + [gguf.TokenType.NORMAL] * len(text) + [gguf.TokenType.CONTROL] * 2
first_text = len(control) + len(raw)
end = len(tokens) - 1


def draw(rows, columns, spread):
    return generator.normal(0, spread, (rows, columns))


writer = gguf.GGUFWriter(sys.argv[1], "llama")
writer.add_block_count(LAYERS)
writer.add_context_length(CONTEXT)
writer.add_embedding_length(WIDTH)
writer.add_feed_forward_length(INNER)
writer.add_head_count(HEADS)
writer.add_head_count_kv(HEADS)
writer.add_rope_dimension_count(WIDTH // HEADS)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_vocab_size(len(tokens))
writer.add_tokenizer_model("llama")
writer.add_tokenizer_pre("default")
writer.add_token_list([token.encode() for token in tokens])
writer.add_token_scores([0.0 if at < first_text else float(first_text - at) for at in range(len(tokens))])
writer.add_token_types([int(kind) for kind in kinds])
writer.add_unk_token_id(0)
writer.add_bos_token_id(1)
writer.add_eos_token_id(end)
writer.add_add_bos_token(True)
writer.add_add_space_prefix(False)
writer.add_chat_template(
    "{% for message in messages %}{{ '<|turn|>' + message.role + '\n' + message.content + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|turn|>assistant\n' }}{% endif %}"
)


def tensor(name, values):
    kind = numpy.float32 if values.ndim == 1 else numpy.float16
    writer.add_tensor(name, values.astype(kind))


embedding = draw(len(tokens), WIDTH, 1.0)
embedding[:, 0] = CONSTANT
tensor("token_embd.weight", embedding)
for layer in range(LAYERS):
    part = f"blk.{layer}."
    tensor(part + "attn_norm.weight", numpy.ones(WIDTH))
    tensor(part + "ffn_norm.weight", numpy.ones(WIDTH))
    for name in ("attn_q", "attn_k", "attn_v"):
        tensor(f"{part}{name}.weight", draw(WIDTH, WIDTH, 0.15))
    tensor(part + "ffn_gate.weight", draw(INNER, WIDTH, 0.15))
    tensor(part + "ffn_up.weight", draw(INNER, WIDTH, 0.15))
    # Nothing is added to dimension 0, so that its constant stays.
    for name, columns in (("attn_output", WIDTH), ("ffn_down", INNER)):
        values = draw(WIDTH, columns, 0.12)
        values[0] = 0
        tensor(f"{part}{name}.weight", values)
tensor("output_norm.weight", numpy.ones(WIDTH))
bias = numpy.full(len(tokens), -30.0)
bias[first_text : first_text + len(text)] = numpy.linspace(0.0, -2.0, len(text))
bias[end] = 1.5
output = draw(len(tokens), WIDTH, 0.25)
# After the last norm the constant is about this large.
output[:, 0] = bias / (CONSTANT / numpy.sqrt((CONSTANT**2 + WIDTH) / WIDTH))
tensor("output.weight", output)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
