// The cases, natively: `ringfence policy build` holds them against the component as well.

import { readFileSync } from "node:fs";
import { test } from "node:test";

import { runCases } from "@ringfence/sdk/cases";

// Imported anew for each case: what a policy keeps is gone afterwards, as in the sandbox.
let run = 0;
const text = readFileSync(new URL("cases.json", import.meta.url), "utf8");
const count = JSON.parse(text).length;
const modules = await Promise.all(
  Array.from({ length: count }, () => import(`./build/native.mjs?run=${run++}`)));

test("the cases hold", () => {
  runCases(() => modules.pop().judge, text);
});
