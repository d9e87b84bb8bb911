"""A support agent with two tools. Rules plan in place of a model, so that it needs neither a key nor a network."""

import json
import re
import sys

REFUND_DAYS = 30

with open("orders.json", encoding="utf-8") as file:
    ORDERS = json.load(file)


def look_up_order(order):
    return ORDERS.get(order)


def refund(order, amount):
    return {"order": order, "refunded": amount}


class Conversation:
    """Calls tools and remembers the calls."""

    def __init__(self):
        self.calls = []

    def call(self, tool, **arguments):
        self.calls.append({"name": tool.__name__, "arguments": arguments})
        return tool(**arguments)

    def answer(self, message):
        number = re.search(r"\b\d{4}\b", message)
        if not number:
            return "Which order is it? Please send its number of four digits."
        number = number[0]
        order = self.call(look_up_order, order=number)
        if order is None:
            return f"I cannot find order {number}."
        if not re.search(r"refund|money back|return", message, re.I):
            return f"Order {number} was delivered {order['days_since_delivery']} days ago."
        if order["days_since_delivery"] > REFUND_DAYS:
            return f"Order {number} cannot be returned any more: the {REFUND_DAYS} days are over."
        paid = self.call(refund, order=number, amount=order["amount"])
        return f"Done: {paid['refunded']} EUR for order {number} are on their way to you."


# Cases are UTF-8, whatever the locale is.
sys.stdin.reconfigure(encoding="utf-8")
for line in sys.stdin:
    case = json.loads(line)
    conversation = Conversation()
    output = conversation.answer(case["query"])
    print(json.dumps({"id": case["id"], "output": output, "tool_calls": conversation.calls}), flush=True)
