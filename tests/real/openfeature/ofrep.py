"""Evaluates prompts with OpenFeature's OFREP provider for Python, as an application does; prints the evaluations as JSON.

OFREP_URL and OFREP_TOKEN are set; the arguments are the units. Nothing here knows promptgate.
"""

import importlib.metadata
import json
import os
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext


def headers():
    return {"Authorization": f"Bearer {os.environ['OFREP_TOKEN']}"}


api.set_provider(OFREPProvider(os.environ["OFREP_URL"], headers_factory=headers))
client = api.get_client()


def evaluation(key, context):
    details = client.get_string_details(key, "default", context)
    return {
        "value": details.value,
        "variant": details.variant,
        "reason": str(details.reason.value if hasattr(details.reason, "value") else details.reason),
        "error": details.error_code.value if details.error_code else None,
        "metadata": dict(details.flag_metadata),
    }


def context(unit):
    return EvaluationContext(targeting_key=unit, attributes={"tier": "pro"})


got = {
    "sdk": f"openfeature-provider-ofrep {importlib.metadata.version('openfeature-provider-ofrep')}",
    "units": {unit: evaluation("support/reply", context(unit)) for unit in sys.argv[1:]},
    "idle": evaluation("triage", context("user-1")),
    "absent": evaluation("absent/prompt", context("user-1")),
    "no_unit": evaluation("support/reply", EvaluationContext(attributes={"tier": "pro"})),
    "wrong_type": client.get_integer_details("triage", 7, context("user-1")).value,
}
print(json.dumps(got))
