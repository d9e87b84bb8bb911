// Evaluates prompts with OpenFeature's OFREP provider for Node.js, as an application does; prints the evaluations as JSON.
//
// OFREP_URL and OFREP_TOKEN are set; the arguments are the folder of the packages and the units.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, ...units] = process.argv.slice(2);
const require = createRequire(join(folder, "index.js"));
const { OpenFeature } = require("@openfeature/server-sdk");
const { OFREPProvider } = require("@openfeature/ofrep-provider");
const { version } = JSON.parse(readFileSync(join(folder, "@openfeature/ofrep-provider/package.json"), "utf8"));

const { OFREP_URL: baseUrl, OFREP_TOKEN: token } = process.env;
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl, headers: [["Authorization", `Bearer ${token}`]] }));
const client = OpenFeature.getClient();

async function evaluation(key, context) {
  const details = await client.getStringDetails(key, "default", context);
  const { value, variant = null, reason, errorCode = null, flagMetadata } = details;
  return { value, variant, reason, error: errorCode, metadata: flagMetadata };
}

const context = (targetingKey) => ({ targetingKey, tier: "pro" });
const got = { sdk: `@openfeature/ofrep-provider ${version}`, units: {} };
for (const unit of units) got.units[unit] = await evaluation("support/reply", context(unit));
got.idle = await evaluation("triage", context("user-1"));
got.absent = await evaluation("absent/prompt", context("user-1"));
got.no_unit = await evaluation("support/reply", { tier: "pro" });
got.wrong_type = (await client.getNumberDetails("triage", 7, context("user-1"))).value;
console.log(JSON.stringify(got));
await OpenFeature.close();
