// Quotes the price of a cart. Several cases may be in flight in one process, so every answer carries its id.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setImmediate } from "node:timers/promises";

const products = JSON.parse(readFileSync(new URL("products.json", import.meta.url), "utf8"));

async function quote(cart) {
  let total = 0;
  const lines = [];
  for (const { product, count } of cart) {
    await setImmediate(); // in place of a lookup in a database
    const price = products[product];
    if (price === undefined) return `We do not sell ${product}.`;
    total += price * count;
    lines.push(`${count} × ${product}`);
  }
  return `${lines.join(", ")}: ${total.toFixed(2)} EUR.`;
}

async function answer(line) {
  const { id, repeat, vars } = JSON.parse(line);
  try {
    return { id, repeat, output: await quote(vars.cart) };
  } catch (error) {
    return { id, repeat, error: String(error) };
  }
}

console.log(JSON.stringify({ concurrency: 8 }));
createInterface({ input: process.stdin }).on("line", async (line) => console.log(JSON.stringify(await answer(line))));
