// Compares GrowthBook's SDK for JavaScript with the vectors in a file; prints what it compared as JSON.
//
// The arguments are the folder of the packages and the file.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, file] = process.argv.slice(2);
const require = createRequire(join(folder, "index.js"));
const { GrowthBook } = require("@growthbook/growthbook");
// The hash is not exported; the evaluation below uses it as well.
const { hash } = require(join(folder, "@growthbook/growthbook/dist/cjs/util.js"));
const { version } = require("@growthbook/growthbook/package.json");
const vectors = JSON.parse(readFileSync(file, "utf8"));

const different = [];
const rows = [...vectors.bucket, ...vectors.assign];
for (const row of rows) {
  if (Math.round(hash(row.salt, row.unit, 2) * 10_000) !== row.bucket) different.push(row);
}
for (const row of vectors.assign) {
  const share = row.basis_points / 10_000;
  const growthbook = new GrowthBook({ attributes: { id: row.unit } });
  const result = growthbook.run({
    key: "rollout",
    variations: ["treatment", "control"],
    ranges: [
      [0, share],
      [share, 1],
    ],
    hashVersion: 2,
    seed: row.salt,
  });
  if (result.value !== row.variant) different.push(row);
}
console.log(JSON.stringify({ sdk: `@growthbook/growthbook ${version}`, buckets: rows.length, different }));
