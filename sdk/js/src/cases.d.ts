import type { Exported } from "./index.js";

/** Makes a configured policy afresh: a case starts with nothing of the one before. */
export type Fresh = () => Exported;

/** Runs every case of a JSON text, and gives what does not hold; empty when all do. */
export function failures(fresh: Fresh, text: string): string[];
/** Runs every case of a JSON text, and throws when one does not hold. */
export function runCases(fresh: Fresh, text: string): number;
