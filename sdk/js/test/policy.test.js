// What a policy exports, and cases run natively.

import assert from "node:assert/strict";
import { test } from "node:test";

import { attribute, definePolicy, editOf, found, isWithin, lower, onlyKeys, onlyTargets, segmentOf }
  from "../src/index.js";
import { failures, runCases } from "../src/cases.js";

/** Masks every finding outside. */
const masking = () => definePolicy({
  configure(config) {
    const { code = "masked", needs = [] } = onlyKeys(config, ["code", "needs"]);
    return { declaration: { codes: ["masked"], needs }, state: { code } };
  },
  judge(request, { code }) {
    if (request.caller?.tenant === "nobody") throw new Error("nobody");
    const edits = found(request).map((one) => editOf(one, "mask", { outside: "process" }));
    return { edits, code };
  },
});

const ann = { segments: ["to 😀 ann"], findings: [{ text: "ann", entity: "NAME" }] };
const edit = { segment: 0, text: "ann", entity: "NAME", action: "mask", scope: "outside process" };

function wrong(rest) {
  return failures(masking, JSON.stringify([{ name: "it", request: ann, ...rest }]));
}

test("everything that was said is compared", () => {
  const right = { edits: [edit], code: "masked" };
  assert.deepEqual(wrong({ expect: right }), []);
  for (const expect of [
    {}, { code: "masked" }, { edits: [edit] }, { ...right, permit: "nowhere" },
    { ...right, edits: [{ ...edit, action: "remove" }] }, { refused: true },
  ]) {
    assert.equal(wrong({ expect }).length, 1, JSON.stringify(expect));
  }
  assert.deepEqual(wrong({ config: { kode: "x" }, expect: { refused: true } }), []);
  assert.deepEqual(wrong({ grants: ["text"], expect: { error: true } }), []);
  const asked = { ...ann, caller: { tenant: "nobody" } };
  assert.deepEqual(wrong({ request: asked, expect: { error: true } }), []);
  const needs = ["text", "findings"];
  assert.deepEqual(
    wrong({ config: { needs }, grants: [], expect: { ungranted: ["findings", "text"] } }), []);
});

test("what the host would refuse does not hold", () => {
  const [said] = wrong({ config: { code: "undeclared" }, expect: { edits: [edit], code: "undeclared" } });
  assert.match(said, /undeclared code/);
});

test("misspelt members are refused", () => {
  for (const rest of [
    { expect: { cod: "" } },
    { expect: { error: true, code: "x" } },
    { expect: {}, request: { segments: [{ txt: "x" }] } },
    { expect: {}, request: { targets: [{ name: "a", zone: "cloud", regoin: "eu" }] } },
    { expect: {}, request: { segments: ["a"], findings: [{ text: "b", entity: "X" }] } },
    { expect: {}, grant: [] },
  ]) {
    assert.throws(() => wrong(rest), undefined, JSON.stringify(rest));
  }
  for (const text of ["", "{}", "[]", "[{\"name\": \"x\"}]"]) {
    assert.throws(() => runCases(masking, text));
  }
});

test("judgements have the contract's form", () => {
  assert.deepEqual(lower({}), { permit: { tag: "any" }, prefer: [], edits: [], labels: [], code: "" });
  assert.deepEqual(lower({ permit: { within: "premises" } }).permit, { tag: "within", val: "premises" });
  assert.deepEqual(lower({ permit: { only: ["a"] } }).permit, { tag: "only", val: ["a"] });
  assert.deepEqual(
    lower({ edits: [{ ...edit, start: 0, end: 1, action: { replace: "x" }, scope: { towards: ["a"] } }] }).edits[0],
    { segment: 0, start: 0, end: 1, entity: "NAME", action: { tag: "replace", val: "x" },
      scope: { tag: "towards", val: ["a"] } });
  for (const bad of [{ permit: "moon" }, { permit: { within: "moon" } },
    { edits: [{ action: "hide" }] }, { edits: [{ action: "mask", scope: "moon" }] }]) {
    assert.throws(() => lower(bad));
  }
});

test("short ways to ask", () => {
  const target = (name, zone) => ({ name, zone, attributes: [["baa", "yes"]] });
  const request = { targets: [target("a", "process"), target("b", "cloud")],
    segments: [{ id: 3 }, { id: 1 }] };
  assert.deepEqual(onlyTargets(request, (one) => isWithin(one, "premises")), { only: ["a"] });
  assert.equal(attribute(request.targets[0], "baa"), "yes");
  assert.equal(segmentOf(request, 3).id, 3);
  assert.throws(() => found({ findings: null }));
});

test("what is thrown is the contract's error", () => {
  const policy = definePolicy({ configure() { throw new TypeError("bad"); }, judge() {} });
  assert.throws(() => policy.configure("{}"), (thrown) => thrown === "bad");
  assert.throws(() => masking().judge({}), (thrown) => typeof thrown === "string");
});
