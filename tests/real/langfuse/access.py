"""Reads prompts with Langfuse's SDK for Python, 3.x or 5.x, as an application does; prints what it got as JSON.

LANGFUSE_HOST, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are set. Nothing here knows promptgate.
"""

import importlib.metadata
import json

from langfuse import get_client

version = importlib.metadata.version("langfuse")
langfuse = get_client()
got = {"sdk": f"langfuse {version} for Python", "connected": langfuse.auth_check()}


def summary(prompt, compiled):
    return {
        "name": prompt.name,
        "version": prompt.version,
        "labels": sorted(prompt.labels),
        "config": prompt.config,
        "variables": sorted(prompt.variables),
        "compiled": compiled,
        "is_fallback": prompt.is_fallback,
    }


variables = {"company": "ACME", "question": "Where is my order?"}
production = langfuse.get_prompt("support/reply")
got["production"] = summary(production, production.compile(**variables))
staging = langfuse.get_prompt("support/reply", label="staging")
got["staging"] = summary(staging, staging.compile(**variables))
by_version = langfuse.get_prompt("support/reply", label="v2.4.0")
got["by_version"] = summary(by_version, by_version.compile(**variables))
by_number = langfuse.get_prompt("support/reply", version=1)
got["by_number"] = summary(by_number, by_number.compile(**variables))
chat = langfuse.get_prompt("triage", type="chat")
got["chat"] = summary(chat, chat.compile(**variables))

fallback = langfuse.get_prompt("absent", fallback="Be kind.", max_retries=0)
got["fallback"] = {"compiled": fallback.compile(), "is_fallback": fallback.is_fallback}
try:
    langfuse.get_prompt("absent", max_retries=0)
except Exception as error:
    got["absent"] = str(error)
try:
    langfuse.create_prompt(name="support/reply", prompt="Hello", labels=["production"])
except Exception as error:
    got["refused"] = str(error)

with langfuse.start_as_current_observation(
    as_type="generation", name="reply", model="gpt-5-mini", prompt=production
) as generation:
    generation.update(
        output="On its way.",
        metadata={"prompt": production.name, "prompt_version": production.config["promptgate"]["version"]},
    )
    generation.score(name="helpful", value=1.0)
langfuse.flush()
langfuse.shutdown()
print(json.dumps(got))
