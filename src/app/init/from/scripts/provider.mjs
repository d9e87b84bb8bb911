// Answers cases with a provider that was written for another tool: FILE FUNCTION CONFIG.
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [file, name, config] = process.argv.slice(2);
// Output of the provider must not look like an answer.
console.log = console.info = console.debug = console.error;
const module = await import(pathToFileURL(resolve(file)));
const found = module[name] ?? module.default?.[name] ?? module.default ?? module;
const options = { config: JSON.parse(config) };

// A class with callApi, an object with it, or a function.
function caller() {
  if (typeof found === "function" && found.prototype?.callApi) {
    const provider = new found(options);
    return (prompt, context) => provider.callApi(prompt, context);
  }
  if (typeof found?.callApi === "function") return (prompt, context) => found.callApi(prompt, context, options);
  return (prompt, context) => found(prompt, context, options);
}
const call = caller();

async function answer({ query, vars }) {
  try {
    const result = await call(query, { vars });
    if (result?.error) return { error: String(result.error) };
    const output = typeof result === "object" && result !== null ? result.output : result;
    return { output: typeof output === "string" ? output : JSON.stringify(output) };
  } catch (error) {
    return { error: String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, repeat, ...rest } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ id, repeat, ...(await answer(rest)) })}\n`);
}
