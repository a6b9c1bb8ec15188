// Data that was found stays in its region: the same policy in every language.

import {
  definePolicy, editOf, found, isWithin, onlyKeys, onlyTargets, utf8Matches, type Edit,
} from "@ringfence/sdk";

export const judge = definePolicy({
  configure(config) {
    const { region, most = 0, hide = [], words = [] } = onlyKeys(config, ["region", "most", "hide", "words"]);
    if (typeof region !== "string") throw "`region` is no text";
    if (typeof most !== "number") throw "`most` is no number";
    if (!isList(hide) || !isList(words)) throw "`hide` and `words` are lists";
    return {
      declaration: {
        codes: ["residency"],
        labels: ["resident"],
        needs: words.length > 0 ? ["findings", "text"] : ["findings"],
      },
      state: { region, most, hide, words: words.map((word) => new RegExp(literal(word), "g")) },
    };
  },

  judge(request, { region, most, hide, words }) {
    const findings = found(request);
    const edits: Edit[] = findings
      .filter((finding) => hide.includes(finding.entity))
      .map((finding) => editOf(finding, "pseudonymise", { outside: "process" }));
    const far = request.targets.filter((target) => target.zone === "cloud").map((target) => target.name);
    for (const { id, text } of request.segments) {
      for (const word of words) {
        for (const { start, end } of utf8Matches(text ?? "", word)) {
          edits.push({ segment: id, start, end, entity: "WORD", action: { replace: "[…]" }, scope: { towards: far } });
        }
      }
    }
    if (findings.length <= most) return { edits };
    const permit = onlyTargets(request, (target) => isWithin(target, "process") || target.region === region);
    return { permit, edits, labels: ["resident"], code: "residency" };
  },
});

function isList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function literal(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
