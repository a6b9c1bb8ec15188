// Cases: requests and what a policy is to say of them, run natively. The same file is
// held against the component by `ringfence policy test`, which is what counts.

import { utf8Slice, utf8Span, utf8Length } from "./spans.js";

const REQUEST = {
  model: "auto", streamed: false, needs: [], input_tokens: 0, max_output_tokens: null,
  latency_wanted_ms: null, budget_left: null, previous_target: null, caller: null, now_ms: 0,
  seed: 0, segments: [], findings: [], targets: null, scores: {}, models: {},
};
const SEGMENT = {
  text: null, role: "user", kind: "text", path: "", tool: null, media_type: null, readable: null,
};
const FINDING = { segment: 0, text: null, entity: null, score: 1 };
const CALLER = { tenant: "", key: "", labels: {} };
const TARGET = {
  name: null, zone: null, region: "", attributes: {}, capabilities: [], healthy: true,
  in_flight: 0, queued: 0, capacity: 64, first_token_ms: 0, p50_ms: 0, p99_ms: 0, error_rate: 0,
  input_price: 0, output_price: 0,
};
const CASE = { name: null, config: {}, grants: null, request: {}, expect: null };
const JUDGED = { permit: "any", prefer: [], edits: [], labels: [], code: "" };
const SCORE = "score:";
const INSTEAD = ["refused", "error", "ungranted"];

/** Runs every case, and throws when one does not hold. */
export function runCases(fresh, text) {
  const wrong = failures(fresh, text);
  if (wrong.length > 0) throw new Error(`${wrong.length} cases do not hold\n${wrong.join("\n")}`);
  return JSON.parse(text).length;
}

/** Runs every case, and gives what does not hold. */
export function failures(fresh, text) {
  const cases = JSON.parse(text);
  if (!Array.isArray(cases) || cases.length === 0) throw new Error("expected a list of cases");
  return cases.flatMap((written) => {
    const one = filled(CASE, written, "a case");
    if (one.name === null || one.expect === null) throw new Error("a case has a name and expect");
    const said = JSON.stringify(sorted(say(fresh(), one)));
    const expected = JSON.stringify(sorted(complete(one.expect)));
    if (said === expected) return [];
    return [`${one.name}:\n  said      ${said}\n  expected  ${expected}`];
  });
}

function say(policy, one) {
  let declared;
  try {
    declared = policy.configure(JSON.stringify(one.config));
  } catch (error) {
    return throwsText(error, { refused: true });
  }
  // The scores of a classifier are covered by `model`.
  const granted = (grant) => one.grants === null ||
    one.grants.includes(grant.startsWith(SCORE) ? "model" : grant);
  const missing = [...new Set(declared.needs.filter((need) => !granted(need)))].sort();
  if (missing.length > 0) return { ungranted: missing };
  const whole = build(filled(REQUEST, one.request, "a request"));
  const shown = structuredClone(whole);
  const classifiers = declared.needs.filter((need) => need.startsWith(SCORE))
    .map((need) => need.slice(SCORE.length));
  const of = ([label]) => label.split("/", 1)[0];
  if (!classifiers.every((name) => whole.scores.some((score) => of(score) === name))) {
    return { failed: "model" };
  }
  shown.scores = whole.scores.filter((score) => classifiers.includes(of(score)));
  if (!granted("text")) shown.segments.forEach((segment) => { segment.text = null; });
  if (!granted("findings")) shown.findings = null;
  if (!granted("caller")) shown.caller = null;
  let judged;
  try {
    judged = policy.judge(shown);
  } catch (error) {
    return throwsText(error, { error: true });
  }
  return nonsense(declared, judged, whole) ?? raise(judged, whole);
}

// Only a string is the contract's error; in the sandbox anything else is a trap.
function throwsText(error, said) {
  if (typeof error === "string") return said;
  throw error;
}

// What the host would refuse.
function nonsense(declared, judged, request) {
  const names = [...judged.prefer, ...(judged.permit.tag === "only" ? judged.permit.val : [])];
  const known = (name) => request.targets.some((target) => target.name === name);
  const scopes = judged.edits.flatMap(({ scope }) => (scope.tag === "towards" ? scope.val : []));
  if (![...names, ...scopes].every(known)) return { nonsense: "an unknown target" };
  if (!judged.labels.every((label) => declared.labels.includes(label))) {
    return { nonsense: "an undeclared label" };
  }
  if (judged.code !== "" && !declared.codes.includes(judged.code)) {
    return { nonsense: "an undeclared code" };
  }
  const spans = [];
  for (const { segment, start, end, entity } of judged.edits) {
    try {
      if (start >= end || !/^[A-Z0-9_]{1,64}$/.test(entity)) throw new RangeError("empty");
      utf8Slice(request.segments[segment].text, start, end);
    } catch {
      return { nonsense: `a bad span ${start}..${end} or entity` };
    }
    spans.push({ segment, start, end });
  }
  spans.sort((a, b) => a.segment - b.segment || a.start - b.start);
  const overlap = spans.some((span, at) => at > 0 &&
    spans[at - 1].segment === span.segment && spans[at - 1].end > span.start);
  return overlap ? { nonsense: "edits that overlap" } : null;
}

function raise({ permit, prefer, edits, labels, code }, request) {
  return {
    permit: permit.tag === "within" || permit.tag === "only" ? permit.val : permit.tag,
    prefer,
    edits: edits.map(({ segment, start, end, entity, action, scope }) => ({
      segment,
      text: utf8Slice(request.segments[segment].text, start, end),
      entity,
      action: action.tag === "replace" ? { replace: action.val } : action.tag,
      scope: scope.tag === "outside" ? `outside ${scope.val}`
        : scope.tag === "towards" ? { towards: scope.val } : "always",
    })),
    labels,
    code,
  };
}

function complete(expect) {
  const members = Object.keys(expect);
  if (members.some((member) => INSTEAD.includes(member))) {
    if (members.length > 1) throw new Error("refused, error and ungranted stand alone");
    return expect;
  }
  return filled(JUDGED, expect, "expect");
}

// The order of edits, and of the members of an object, does not count.
function sorted(said) {
  const edits = said.edits?.map((one) => filled(
    { segment: null, text: null, entity: null, action: null, scope: null }, one, "an edit"));
  edits?.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return edits ? { ...filled(JUDGED, said, "expect"), edits } : said;
}

// The members of `shape`, in its order; another member is misspelt.
function filled(shape, written, what) {
  if (typeof written !== "object" || written === null || Array.isArray(written)) {
    throw new Error(`${what} is no object`);
  }
  for (const member of Object.keys(written)) {
    if (!(member in shape)) {
      throw new Error(`${what} has no member \`${member}\`; it has ${Object.keys(shape).join(", ")}`);
    }
  }
  return Object.fromEntries(Object.keys(shape).map((name) => [name, written[name] ?? shape[name]]));
}

function build(asked) {
  const segments = asked.segments.map((piece, id) => segment(piece, id));
  const findings = asked.findings.map((written) => {
    const { segment: id, text, entity, score } = filled(FINDING, written, "a finding");
    const within = segments[id]?.text ?? "";
    const at = within.indexOf(text);
    if (at < 0) throw new Error(`segment ${id} does not hold the text of a finding`);
    return { segment: id, ...utf8Span(within, at, at + text.length), entity, score };
  });
  findings.sort((a, b) => a.segment - b.segment || a.start - b.start);
  const places = asked.targets ?? ["process", "premises", "cloud"].map((zone) => (
    { name: zone === "process" ? "local" : zone, zone }));
  // Only a component can ask models.
  const { caller, targets: _, segments: __, findings: ___, models: ____, scores, ...rest } = asked;
  return {
    id: "r-1", conversation: "c-1", dialect: "openai-chat", ...camel(rest),
    scores: Object.entries(scores).sort(([a], [b]) => (a < b ? -1 : 1)),
    caller: caller && labelled(filled(CALLER, caller, "a caller")),
    segments, findings,
    targets: places.map((place) => target(filled(TARGET, place, "a target"))),
  };
}

function segment(piece, id) {
  const turn = { id, turn: id, cached: false };
  if (typeof piece === "string") {
    const path = `/messages/${id}/content`;
    const whole = filled(SEGMENT, { text: piece, path, readable: true }, "a segment");
    return { ...turn, ...camel(whole), bytes: utf8Length(piece) };
  }
  const whole = filled(SEGMENT, piece, "a segment");
  whole.readable ??= whole.text !== null;
  return { ...turn, ...camel(whole), bytes: utf8Length(whole.text ?? "") };
}

function target(place) {
  return { contextTokens: 8192, ...camel(place), attributes: pairs(place.attributes) };
}

function labelled(caller) {
  return { ...caller, labels: pairs(caller.labels) };
}

function pairs(members) {
  return Object.entries(members).map(([name, value]) => (
    [name, typeof value === "string" ? value : JSON.stringify(value)]));
}

function camel(members) {
  const name = (snake) => snake.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(members).map(([key, value]) => [name(key), value]));
}
