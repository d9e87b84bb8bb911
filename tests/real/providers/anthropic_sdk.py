"""anthropic_sdk.py: calls the Messages API at ANTHROPIC_BASE_URL with Anthropic's SDK.

Standard input has JSON lines, each with `do`: `create`, `stream` and `create` in the forms that a user of the SDK writes, or
`resend`, the body of a request to send again. Prints what the SDK made of each reply, as JSON lines.
"""

import json
import sys

import anthropic

client = anthropic.Anthropic(max_retries=0)
TOOL = {
    "name": "find_order",
    "description": "Finds an order.",
    "input_schema": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
}


def conversation(question):
    """The prompt of the test, as a user of the SDK writes it."""
    return {
        "model": "claude-test",
        "max_tokens": 200,
        # Older models take it; the SDK has no argument for it any more.
        "extra_body": {"temperature": 0},
        "stop_sequences": ["END"],
        "system": "Use nothing but this text.",
        "messages": [
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "How can I help?"},
            {"role": "user", "content": question},
        ],
        "tools": [TOOL],
        "tool_choice": {"type": "auto"},
    }


def shown(message):
    return {
        "text": "".join(block.text for block in message.content if block.type == "text"),
        "calls": [[block.name, block.input] for block in message.content if block.type == "tool_use"],
        "stop_reason": message.stop_reason,
        "model": message.model,
        "usage": [message.usage.input_tokens, message.usage.output_tokens],
    }


for line in sys.stdin:
    asked = json.loads(line)
    try:
        if asked["do"] == "stream":
            with client.messages.stream(**conversation(asked["question"])) as stream:
                result = shown(stream.get_final_message())
        elif asked["do"] == "create":
            result = shown(client.messages.create(**conversation(asked["question"])))
        else:
            body = asked["body"]
            sampling = {"temperature": body.pop("temperature")}
            result = shown(client.messages.create(**body, extra_body=sampling))
    except anthropic.APIStatusError as error:
        result = {"error": type(error).__name__, "status": error.status_code, "type": error.body["error"]["type"]}
    print(json.dumps(result), flush=True)
