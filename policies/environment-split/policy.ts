// Environments that may go out do, and all others stay.

import { attribute, callerLabel, definePolicy, isWithin, onlyKeys, onlyTargets, type Zone } from "@ringfence/sdk";

const ZONES: readonly string[] = ["process", "premises", "cloud"] satisfies Zone[];

export const judge = definePolicy({
  configure(config) {
    const { label = "environment", out, zone = "premises" } = onlyKeys(config, ["label", "out", "zone"]);
    if (typeof label !== "string") throw "`label` is no text";
    if (!Array.isArray(out) || !out.every((one) => typeof one === "string")) {
      throw "`out` lists the environments that may go out";
    }
    if (!isZone(zone)) throw "`zone` is process, premises or cloud";
    return {
      declaration: { codes: ["environment_stays"], labels: ["stays"], needs: ["caller"] },
      state: { label, out: out as string[], zone },
    };
  },

  judge(request, { label, out, zone }) {
    const environment = callerLabel(request, label);
    if (environment !== undefined && out.includes(environment)) return { permit: "any" };
    // Who says nothing is not taken for development. A target that the operator keeps for
    // this environment is as near as those of its own zone.
    const permit = onlyTargets(request, (target) => (
      isWithin(target, zone) ||
      (environment !== undefined && attribute(target, "environment") === environment)));
    return { permit, labels: ["stays"], code: "environment_stays" };
  },
});

function isZone(value: unknown): value is Zone {
  return typeof value === "string" && ZONES.includes(value);
}
