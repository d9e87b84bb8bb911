// Reads prompts with Langfuse's SDK for Node.js, 5.x, as an application does; prints what it got as JSON.
// LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are set. Nothing here knows promptgate.
//
// Usage: node access_v5.mjs NODE_MODULES
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const modules = process.argv[2];
const require = createRequire(join(modules, "x.js"));
const { LangfuseClient } = require("@langfuse/client");
const { LangfuseSpanProcessor } = require("@langfuse/otel");
const { startObservation } = require("@langfuse/tracing");
const { NodeSDK } = require("@opentelemetry/sdk-node");
const { version } = JSON.parse(readFileSync(join(modules, "@langfuse/client/package.json"), "utf8"));

const telemetry = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
telemetry.start();
const langfuse = new LangfuseClient();
const got = { sdk: `@langfuse/client ${version} for Node.js` };

const variables = { company: "ACME", question: "Where is my order?" };
const summary = (prompt) => ({
  name: prompt.name,
  version: prompt.version,
  labels: [...prompt.labels].sort(),
  config: prompt.config,
  compiled: prompt.compile(variables),
  is_fallback: prompt.isFallback,
});

const production = await langfuse.prompt.get("support/reply");
got.production = summary(production);
got.staging = summary(await langfuse.prompt.get("support/reply", { label: "staging" }));
got.by_version = summary(await langfuse.prompt.get("support/reply", { label: "v2.4.0" }));
got.by_number = summary(await langfuse.prompt.get("support/reply", { version: 1 }));
got.chat = summary(await langfuse.prompt.get("triage", { type: "chat" }));

const fallback = await langfuse.prompt.get("absent", { fallback: "Be kind.", maxRetries: 0 });
got.fallback = { compiled: fallback.compile(), is_fallback: fallback.isFallback };
got.absent = await langfuse.prompt.get("absent", { maxRetries: 0 }).then(() => null, (error) => JSON.stringify(error.body ?? String(error)));
got.refused = await langfuse.prompt
  .create({ name: "support/reply", prompt: "Hello", labels: ["production"], type: "text" })
  .then(() => null, (error) => JSON.stringify(error.body ?? String(error)));

const generation = startObservation(
  "reply",
  {
    model: "gpt-5-mini",
    prompt: { name: production.name, version: production.version, isFallback: production.isFallback },
    output: "On its way.",
    metadata: { prompt: production.name, prompt_version: production.config.promptgate.version },
  },
  { asType: "generation" },
);
generation.end();
langfuse.score.observation(generation, { name: "helpful", value: 1 });
await langfuse.flush();
await telemetry.shutdown();
console.log(JSON.stringify(got));
