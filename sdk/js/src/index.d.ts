/** How far a place is from the process that holds the data. */
export type Zone = "process" | "premises" | "cloud";
export type Role = "system" | "user" | "assistant" | "tool";
export type Kind =
  | "text" | "reasoning" | "tool-call" | "tool-result" | "tool-definition"
  | "name" | "metadata" | "link" | "attachment";
/** Names that a policy may need. */
export type Grant = "text" | "findings" | "caller" | "log" | "state" | "model" | `score:${string}`;

/** One string of the request, with its place. Offsets into it are bytes of UTF-8. */
export interface Segment {
  id: number;
  turn: number;
  role: Role;
  kind: Kind;
  /** Its place in the client's JSON, as a JSON pointer. */
  path: string;
  tool: string | null;
  mediaType: string | null;
  /** Length in bytes of UTF-8, also when the text is not granted. */
  bytes: number;
  readable: boolean;
  cached: boolean;
  /** Absent without the grant `text`, and for attachments. */
  text: string | null;
}

/** Something that the host's detectors found. `start` and `end` are bytes of UTF-8. */
export interface Finding {
  segment: number;
  start: number;
  end: number;
  entity: string;
  score: number;
}

/** The authenticated client. */
export interface Caller {
  tenant: string;
  key: string;
  labels: [string, string][];
}

/** A place that can answer and that nothing has ruled out so far. */
export interface Target {
  name: string;
  zone: Zone;
  region: string;
  attributes: [string, string][];
  capabilities: string[];
  contextTokens: number;
  healthy: boolean;
  inFlight: number;
  queued: number;
  capacity: number;
  /** Medians and percentiles are 0 when unknown. */
  firstTokenMs: number;
  p50Ms: number;
  p99Ms: number;
  errorRate: number;
  /** Dollars per million tokens. */
  inputPrice: number;
  outputPrice: number;
}

/** One request, as data. */
export interface Request {
  id: string;
  conversation: string;
  dialect: string;
  model: string;
  streamed: boolean;
  needs: string[];
  inputTokens: number;
  maxOutputTokens: number | null;
  latencyWantedMs: number | null;
  /** Reserved: `null` in this version of the host. */
  budgetLeft: number | null;
  previousTarget: string | null;
  /** Absent without the grant `caller`. */
  caller: Caller | null;
  nowMs: number;
  seed: number;
  segments: Segment[];
  /** Absent without the grant `findings`; never empty for that reason. */
  findings: Finding[] | null;
  /** Reserved: empty in this version of the host. */
  scores: [string, number][];
  targets: Target[];
}

/** What a policy says about itself. A code or a label that is not declared fails the judgement. */
export interface Declaration {
  codes?: string[];
  labels?: string[];
  needs?: Grant[];
}

export type Permit = "any" | "nowhere" | { within: Zone } | { only: string[] };
export type Action = "mask" | "pseudonymise" | "remove" | { replace: string };
export type Scope = "always" | { outside: Zone } | { towards: string[] };

/** A change to one span of one segment. Edits of one judgement may not overlap. */
export interface Edit {
  segment: number;
  start: number;
  end: number;
  entity: string;
  action: Action;
  scope?: Scope;
}

/** What a policy says of a request. What is left out is `"any"` or empty. */
export interface Judgement {
  permit?: Permit;
  prefer?: string[];
  edits?: Edit[];
  labels?: string[];
  code?: string;
}

/** A policy. Throwing refuses the configuration, or fails the judgement. */
export interface Policy<State> {
  /** Runs once, when the file is loaded. `config` is the entry's own table. */
  configure(config: Record<string, unknown>): { declaration?: Declaration; state: State };
  /** Runs once for each request, in an instance of its own. */
  judge(request: Request, state: State): Judgement | void;
}

/** What a component exports as `judge`. */
export interface Exported {
  configure(config: string): Required<Declaration>;
  judge(request: Request): unknown;
}

export function definePolicy<State>(policy: Policy<State>): Exported;
export function onlyKeys<T extends object>(config: T, keys: string[]): T;
export function found(request: Request): Finding[];
export function segmentOf(request: Request, id: number): Segment | undefined;
export function callerLabel(request: Request, name: string): string | undefined;
/**
 * What a classifier says of the request: the probability of `NAME/LABEL`, 0 to 1. `undefined`
 * where the policy did not declare that it needs `score:NAME`, and for other labels.
 */
export function scoreOf(request: Request, label: string): number | undefined;
export function attribute(target: Target, name: string): string | undefined;
export function isWithin(target: Target, zone: Zone): boolean;
export function hasRoom(target: Target): boolean;
export function onlyTargets(request: Request, keep: (target: Target) => boolean): { only: string[] };
export function editOf(finding: Omit<Finding, "score">, action: Action, scope?: Scope): Edit;

/** The length of a text in bytes of UTF-8. */
export function utf8Length(text: string): number;
/** The span of `text.slice(start, end)` in bytes of UTF-8. */
export function utf8Span(text: string, start: number, end: number): { start: number; end: number };
/** The part of a text between two offsets in bytes of UTF-8. */
export function utf8Slice(text: string, start: number, end: number): string;
/** The spans of every match of a regular expression, in bytes of UTF-8. */
export function utf8Matches(text: string, pattern: RegExp): { start: number; end: number; text: string }[];
