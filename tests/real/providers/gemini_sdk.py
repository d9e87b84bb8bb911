"""gemini_sdk.py: calls the Gemini API at GOOGLE_GEMINI_BASE_URL with Google's SDK, as anthropic_sdk.py does with Anthropic's."""

import json
import os
import sys

from google import genai
from google.genai import errors, types

client = genai.Client(
    api_key=os.environ["GEMINI_API_KEY"],
    http_options=types.HttpOptions(base_url=os.environ["GOOGLE_GEMINI_BASE_URL"]),
)
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="find_order",
            description="Finds an order.",
            parameters_json_schema={
                "type": "object",
                "properties": {"id": {"type": "string"}},
                "required": ["id"],
            },
        )
    ]
)


def conversation(question):
    """The prompt of the test, as a user of the SDK writes it."""
    turns = [("user", "Hello."), ("model", "How can I help?"), ("user", question)]
    calling = types.FunctionCallingConfig(mode="AUTO")
    return {
        "model": "gemini-test",
        "contents": [types.Content(role=role, parts=[types.Part(text=text)]) for role, text in turns],
        "config": types.GenerateContentConfig(
            system_instruction="Use nothing but this text.",
            temperature=0,
            max_output_tokens=200,
            stop_sequences=["END"],
            tools=[TOOL],
            tool_config=types.ToolConfig(function_calling_config=calling),
        ),
    }


def resent(body):
    """A request in the types of the SDK, which refuse unknown names."""
    system = body.pop("systemInstruction", None)
    contents = [types.Content.model_validate(content) for content in body.pop("contents")]
    config = {**body.pop("generationConfig", {}), **body}
    if system:
        config["systemInstruction"] = system
    config = types.GenerateContentConfig.model_validate(config)
    return {"model": "gemini-test", "contents": contents, "config": config}


def shown(response):
    usage = response.usage_metadata
    candidate = response.candidates[0]
    calls = [part.function_call for part in candidate.content.parts if part.function_call]
    return {
        "text": "".join(part.text for part in candidate.content.parts if part.text),
        "calls": [[call.name, call.args] for call in calls],
        "stop_reason": candidate.finish_reason.value,
        "model": response.model_version,
        "usage": [usage.prompt_token_count, usage.candidates_token_count],
    }


for line in sys.stdin:
    asked = json.loads(line)
    try:
        if asked["do"] == "stream":
            chunks = list(client.models.generate_content_stream(**conversation(asked["question"])))
            result = shown(chunks[-1])
            result["text"] = "".join(chunk.text for chunk in chunks)
        elif asked["do"] == "create":
            result = shown(client.models.generate_content(**conversation(asked["question"])))
        else:
            result = shown(client.models.generate_content(**resent(asked["body"])))
    except errors.APIError as error:
        result = {"error": type(error).__name__, "status": error.code, "type": error.status}
    print(json.dumps(result), flush=True)
