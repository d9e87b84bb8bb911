// Reads a junit.xml with junit2json and holds its counts against the report.json beside it.
//
// Usage: node junit.mjs DIR [MODULES], where DIR holds junit.xml and report.json of a run and MODULES the node_modules
// with junit2json from npm. Exits with 1 where the two contradict each other.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, modules = "node_modules"] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "x.js"));
const { parse } = await import(pathToFileURL(require.resolve("junit2json")).href);
const report = JSON.parse(await readFile(path.join(folder, "report.json"), "utf8"));
const document = await parse(await readFile(path.join(folder, "junit.xml"), "utf8"));

const wrong = [];
const expect = (what, found, wanted) => {
  if (found !== wanted) wrong.push(`${what}: ${found}, not ${wanted}`);
};
const [suite] = document.testsuite;
expect("suites", document.testsuite.length, 1);
expect("the name of the suite", suite.name, report.name);
const of = (group) => suite.testcase.filter((test) => test.classname.startsWith(`promptgate.${group}.`));
const count = (tests, kind) => tests.reduce((sum, test) => sum + (test[kind]?.length ?? 0), 0);
const criteria = of("gate").filter((test) => test.name !== "run");
expect("criteria", criteria.length, report.criteria.length);
expect("cases", of("case").length, report.cases.length);
expect("failures of cases", count(of("case"), "failure"), 0);
for (const [verdict, kind] of [["fail", "failure"], ["incomplete", "error"]]) {
  for (const criterion of report.criteria.filter((one) => one.verdict === verdict)) {
    const test = criteria.find((one) => one.name === criterion.id);
    expect(`${kind} of ${criterion.id}`, test?.[kind]?.length, 1);
  }
}
for (const kind of ["failure", "error", "skipped"]) {
  const attribute = { failure: "failures", error: "errors", skipped: "skipped" }[kind];
  expect(`${attribute} of the suite`, suite[attribute], count(suite.testcase, kind));
  expect(`${attribute} of the file`, document[attribute], suite[attribute]);
}
expect("tests", suite.tests, suite.testcase.length);
wrong.forEach((text) => console.log(text));
console.log(`junit2json read ${suite.testcase.length} tests, ${wrong.length} contradictions`);
process.exit(wrong.length === 0 && suite.testcase.length > 0 ? 0 : 1);
