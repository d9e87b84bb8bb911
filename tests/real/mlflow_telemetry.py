"""mlflow_telemetry.py URI TRACE: prints what MLflow's client reads of a trace."""

import json
import sys

import mlflow

uri, trace_id = sys.argv[1:]
mlflow.set_tracking_uri(uri)
trace = mlflow.get_trace(trace_id)
spans = [
    {
        "name": span.name,
        "id": span.span_id,
        "parent": span.parent_id,
        "status": str(span.status.status_code),
        "attributes": {key: span.attributes[key] for key in span.attributes},
        "events": [{"name": event.name, "attributes": dict(event.attributes)} for event in span.events],
    }
    for span in trace.data.spans
]
print(json.dumps({"spans": spans, "tokens": trace.info.token_usage, "experiment": trace.info.experiment_id}))
