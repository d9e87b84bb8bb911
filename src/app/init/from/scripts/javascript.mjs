// Scores answers by the assertions of javascript.json, which were written for another tool. Each is an expression, a
// body or a file; it returns true or false, a number that is compared with its threshold, or {pass, score, reason}.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { names, every_case: always, cases } = JSON.parse(readFileSync(new URL("javascript.json", import.meta.url), "utf8"));

// The variables under the names that the assertions know.
function variables(item) {
  const vars = { ...item.vars };
  for (const [name, path] of Object.entries(names)) {
    const value = path.startsWith("vars.") ? vars[path.slice(5)] : item[path];
    if (value !== undefined && value !== null) vars[name] = Array.isArray(value) && value.length === 1 ? value[0] : value;
  }
  return vars;
}

// Whether a value of JSON, a list or an object, occurs in the text.
function containsJson(text) {
  for (let start = text.search(/[[{]/); start >= 0 && start < text.length; start++) {
    if (text[start] !== "[" && text[start] !== "{") continue;
    const close = text[start] === "[" ? "]" : "}";
    for (let end = text.lastIndexOf(close); end > start; end = text.lastIndexOf(close, end - 1)) {
      try {
        JSON.parse(text.slice(start, end + 1));
        return true;
      } catch {}
    }
  }
  return false;
}

function compiled(code) {
  const make = (body) => new Function("output", "context", "containsJson", body);
  if (code.includes("\n")) return make(code);
  try {
    return make(`return (${code.trim().replace(/;+$/, "")}\n)`);
  } catch {
    // Statements, and an expression at the end.
    const at = code.trim().replace(/;+$/, "").lastIndexOf(";");
    return make(`${code.slice(0, at + 1)} return (${code.slice(at + 1).replace(/;+\s*$/, "")}\n)`);
  }
}

async function loaded({ file, function: name }) {
  const module = await import(pathToFileURL(resolve(file)));
  const found = name ? (module[name] ?? module.default?.[name]) : (module.default ?? module);
  if (typeof found !== "function") throw new Error(`${file} has no function${name ? ` ${name}` : ""}`);
  return found;
}

async function passes(assertion, text, vars) {
  let output = text;
  if (assertion.json) {
    try {
      output = JSON.parse(text);
    } catch {}
  }
  const run = assertion.file ? await loaded(assertion) : compiled(assertion.code);
  const result = await run(output, { vars, config: assertion.config ?? {} }, containsJson);
  let pass;
  if (typeof result === "boolean") pass = result;
  else if (typeof result === "number") pass = assertion.threshold === undefined ? result > 0 : result >= assertion.threshold;
  else if (result && typeof result.pass === "boolean") pass = result.pass;
  else throw new Error(`expected true, false, a number or {pass}, found ${JSON.stringify(result)}`);
  return { pass: pass !== Boolean(assertion.not), reason: result?.reason };
}

async function score({ id, case: item, output }) {
  const reasons = [];
  let pass = true;
  for (const assertion of [...always, ...(cases[item.id] ?? [])]) {
    const shown = assertion.code ?? assertion.file + (assertion.function ? `:${assertion.function}` : "");
    let result;
    try {
      result = await passes(assertion, output, variables(item));
    } catch (error) {
      result = { pass: false, reason: String(error) };
    }
    pass &&= result.pass;
    if (!result.pass) reasons.push(`${assertion.not ? "not " : ""}${shown}${result.reason ? `: ${result.reason}` : ""}`);
  }
  return { id, pass, reason: reasons.join("; ") || "all assertions hold" };
}

// Output of an assertion must not look like a score.
console.log = console.info = console.debug = console.error;
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await score(JSON.parse(line)))}\n`);
}
