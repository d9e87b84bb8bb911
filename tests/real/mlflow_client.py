"""mlflow_client.py URI NAME ALIAS: prints what MLflow's client reads of a prompt, with its variable filled in."""

import json
import sys

from mlflow import MlflowClient

uri, name, alias = sys.argv[1:]
prompt = MlflowClient(uri).get_prompt_version_by_alias(name, alias)
config = prompt.model_config
print(
    json.dumps(
        {
            "version": prompt.version,
            "text": prompt.format(company="Acme"),
            "message": prompt.commit_message,
            "response_format": prompt.response_format,
            "model": config["model_name"],
            "temperature": config["temperature"],
            "max_tokens": config["max_tokens"],
            "published": prompt.tags["promptgate.version"],
        }
    )
)
