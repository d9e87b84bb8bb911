// Compares assign.ts with the vectors in the file that is named. Node.js 22.18 and later runs TypeScript as it is; before
// that, the types are removed here.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const source = readFileSync(new URL("assign.ts", import.meta.url), "utf8");
const script = source
  .replace(/^type .*$/m, "")
  .replaceAll(/: (?:string|number|Entry)(?=[,)])/g, "")
  .replaceAll(/\): (?:string|number) \{/g, ") {");
const { bucket, version } = await import(`data:text/javascript,${encodeURIComponent(script)}`);
const vectors = JSON.parse(readFileSync(process.argv[2], "utf8"));
const rows = [...vectors.bucket, ...vectors.assign];
for (const row of rows) assert.equal(bucket(row.salt, row.unit), row.bucket, JSON.stringify(row));
for (const row of vectors.assign) {
  const entry = { ...row, control: "control", treatment: "treatment" };
  assert.equal(version(entry, row.unit), row.variant, JSON.stringify(row));
}
console.log(`${rows.length} vectors agree`);
