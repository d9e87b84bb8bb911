"""A pizzeria that takes orders in a chat. Rules answer in place of a model, so that it needs neither a key nor a network."""

import json
import re
import sys

PRICES = {"margherita": 8, "funghi": 9, "diavola": 10}
SIZES = {"small": 0, "large": 3}


def order_of(lines):
    """What the customer has asked for so far; a later line changes an earlier one."""
    order = {"pizza": None, "size": None}
    for line in lines:
        words = re.findall(r"[a-z]+", line.lower())
        order["pizza"] = next((word for word in words if word in PRICES), order["pizza"])
        order["size"] = next((word for word in words if word in SIZES), order["size"])
    return order


def answer(messages, query):
    lines = [message["content"] for message in messages if message["role"] == "user"]
    order = order_of([*lines, query])
    if order["pizza"] is None:
        return f"Which pizza would you like? We have {', '.join(PRICES)}."
    if order["size"] is None:
        return f"A {order['pizza']}. Small or large?"
    price = PRICES[order["pizza"]] + SIZES[order["size"]]
    return f"A {order['size']} {order['pizza']} is {price} EUR. Thank you!"


# Cases are UTF-8, whatever the locale is.
sys.stdin.reconfigure(encoding="utf-8")
for line in sys.stdin:
    case = json.loads(line)
    # The server keeps no state: each line brings the conversation so far.
    print(json.dumps({"id": case["id"], "output": answer(case["messages"], case["query"])}), flush=True)
