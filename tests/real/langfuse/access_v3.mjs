// Reads prompts with Langfuse's SDK for Node.js, 3.x, as an application does; prints what it got as JSON.
// LANGFUSE_BASEURL, LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are set. Nothing here knows promptgate.
//
// Usage: node access_v3.mjs NODE_MODULES
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const modules = process.argv[2];
const require = createRequire(join(modules, "x.js"));
const { Langfuse } = require("langfuse");
const { version } = JSON.parse(readFileSync(join(modules, "langfuse/package.json"), "utf8"));

const langfuse = new Langfuse();
const got = { sdk: `langfuse ${version} for Node.js` };
langfuse.on("error", (error) => console.error(`error: ${error}`));

const variables = { company: "ACME", question: "Where is my order?" };
const summary = (prompt) => ({
  name: prompt.name,
  version: prompt.version,
  labels: [...prompt.labels].sort(),
  config: prompt.config,
  compiled: prompt.compile(variables),
  is_fallback: prompt.isFallback,
});

const production = await langfuse.getPrompt("support/reply");
got.production = summary(production);
got.staging = summary(await langfuse.getPrompt("support/reply", undefined, { label: "staging" }));
got.by_version = summary(await langfuse.getPrompt("support/reply", undefined, { label: "v2.4.0" }));
got.by_number = summary(await langfuse.getPrompt("support/reply", 1));
got.chat = summary(await langfuse.getPrompt("triage", undefined, { type: "chat" }));

const fallback = await langfuse.getPrompt("absent", undefined, { fallback: "Be kind.", maxRetries: 0 });
got.fallback = { compiled: fallback.compile(), is_fallback: fallback.isFallback };
got.absent = await langfuse.getPrompt("absent", undefined, { maxRetries: 0 }).then(() => null, String);
got.refused = await langfuse
  .createPrompt({ name: "support/reply", prompt: "Hello", labels: ["production"] })
  .then(() => null, String);

const trace = langfuse.trace({
  name: "reply",
  metadata: { prompt: production.name, prompt_version: production.config.promptgate.version },
});
const generation = trace.generation({ name: "reply", model: "gpt-5-mini", prompt: production });
generation.end({ output: "On its way." });
generation.score({ name: "helpful", value: 1 });
await langfuse.shutdownAsync();
console.log(JSON.stringify(got));
