// Write Ringfence policies in TypeScript and JavaScript.

export { utf8Length, utf8Matches, utf8Slice, utf8Span } from "./spans.js";

const ZONES = ["process", "premises", "cloud"];

/**
 * Makes of a policy what the component exports: `export const judge = definePolicy(...)`.
 */
export function definePolicy(policy) {
  let state;
  let configured = false;
  return {
    configure(config) {
      return told(() => {
        const { declaration = {}, ...rest } = policy.configure(JSON.parse(config));
        state = rest.state;
        configured = true;
        const { codes = [], labels = [], needs = [] } = declaration;
        return { codes, labels, needs };
      });
    },
    judge(request) {
      return told(() => {
        if (!configured) throw "judged before it was configured";
        return lower(policy.judge(request, state) ?? {});
      });
    },
  };
}

// A string that is thrown is the contract's error; anything else would be a trap.
function told(body) {
  try {
    return body();
  } catch (error) {
    throw typeof error === "string" ? error : String(error?.message ?? error);
  }
}

/** Refuses a configuration with keys that are not among `keys`: a misspelt rule protects nobody. */
export function onlyKeys(config, keys) {
  for (const key of Object.keys(config)) {
    if (!keys.includes(key)) throw `unknown key \`${key}\`, expected one of ${keys.join(", ")}`;
  }
  return config;
}

/** What the detectors found. Without the grant nothing is known, which is an error. */
export function found(request) {
  if (request.findings == null) throw "the grant `findings` is missing";
  return request.findings;
}

/** The segment that a finding or an edit names. */
export function segmentOf(request, id) {
  const there = request.segments[id];
  return there?.id === id ? there : request.segments.find((segment) => segment.id === id);
}

/** A label of the caller; `undefined` without it, and without the grant `caller`. */
export function callerLabel(request, name) {
  return request.caller?.labels.find(([known]) => known === name)?.[1];
}

/** What a classifier says of the request: the probability of `NAME/LABEL`. */
export function scoreOf(request, label) {
  return request.scores.find(([known]) => known === label)?.[1];
}

/** One of the operator's own words about a target. */
export function attribute(target, name) {
  return target.attributes.find(([known]) => known === name)?.[1];
}

/** Whether a target is in `zone` or a nearer one. */
export function isWithin(target, zone) {
  return ZONES.indexOf(target.zone) <= ZONES.indexOf(zone);
}

/** Whether a target is well and would take one more request at once. */
export function hasRoom(target) {
  return target.healthy && target.inFlight + target.queued < target.capacity;
}

/** The permission for the targets that `keep` keeps; with none kept, nowhere. */
export function onlyTargets(request, keep) {
  return { only: request.targets.filter(keep).map((target) => target.name) };
}

/** An edit of what was found. */
export function editOf({ segment, start, end, entity }, action, scope = "always") {
  return { segment, start, end, entity, action, scope };
}

/** A judgement in the form of the contract. */
export function lower(judgement) {
  const { permit = "any", prefer = [], edits = [], labels = [], code = "" } = judgement;
  return { permit: permission(permit), prefer, edits: edits.map(edit), labels, code };
}

function permission(permit) {
  if (permit === "any" || permit === "nowhere") return { tag: permit };
  if (ZONES.includes(permit?.within)) return { tag: "within", val: permit.within };
  if (Array.isArray(permit?.only)) return { tag: "only", val: permit.only };
  throw "a permission is \"any\", \"nowhere\", {within: ZONE} or {only: [TARGET]}";
}

function edit({ segment, start, end, entity, action, scope = "always" }) {
  return { segment, start, end, entity, action: actionOf(action), scope: scopeOf(scope) };
}

function actionOf(action) {
  if (action === "mask" || action === "pseudonymise" || action === "remove") return { tag: action };
  if (typeof action?.replace === "string") return { tag: "replace", val: action.replace };
  throw "an action is \"mask\", \"pseudonymise\", \"remove\" or {replace: TEXT}";
}

function scopeOf(scope) {
  if (scope === "always") return { tag: "always" };
  if (ZONES.includes(scope?.outside)) return { tag: "outside", val: scope.outside };
  if (Array.isArray(scope?.towards)) return { tag: "towards", val: scope.towards };
  throw "a scope is \"always\", {outside: ZONE} or {towards: [TARGET]}";
}
