#!/usr/bin/env node
// Runs the binary of promptgate that npm installed for this machine: same arguments, streams, signals and exit code.
"use strict";

const { spawn } = require("node:child_process");
const os = require("node:os");

// npm, npx and the terminal can all pass on one Ctrl-C, and a second signal ends a run without its report: signals that
// arrive within this many milliseconds of the first are one.
const SAME_SIGNAL_MS = 250;

const isWindows = process.platform === "win32";
// Windows on ARM runs programs for x86-64.
const cpu = isWindows ? "x64" : process.arch;
const packages = [`promptgate-cli-${process.platform}-${cpu}`, `promptgate-cli-${process.platform}-${cpu}-gnu`];

function fail(message) {
  process.stderr.write(`promptgate: ${message}\n`);
  process.exit(1);
}

function findBinary() {
  for (const name of packages) {
    try {
      return require.resolve(`${name}/bin/promptgate${isWindows ? ".exe" : ""}`);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return fail(
    `no binary for ${process.platform} on ${process.arch}: the package ${packages[0]} is not installed\n` +
      "help: npm leaves it out with `--omit=optional` or `--no-optional`, with a lock file of another platform, and where " +
      "there is no release; install again without these, or build promptgate with cargo",
  );
}

// In a session of its own, the binary gets only the signals that are passed on below, each once.
const child = spawn(findBinary(), process.argv.slice(2), { stdio: "inherit", detached: !isWindows });

const passedOn = {};
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => {
    // A console of Windows sends Ctrl-C to all its programs, and `kill` there would end the binary at once.
    if (isWindows) return;
    const now = Date.now();
    if (now - (passedOn[name] ?? -Infinity) < SAME_SIGNAL_MS) return;
    passedOn[name] = now;
    child.kill(name);
  });
}

child.on("error", (error) => fail(`cannot run ${child.spawnfile}: ${error.message}`));
child.on("exit", (code, signal) => {
  if (signal === null) {
    process.exitCode = code;
    return;
  }
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Where the signal does not end this process, as on Windows.
  process.exitCode = 128 + (os.constants.signals[signal] ?? 0);
});
