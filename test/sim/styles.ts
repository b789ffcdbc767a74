/**
 * The three kinds of systems that the rules of the merge were won from: each is hard in its own way, as real ones are.
 *
 * `lossy` cuts names and keeps few tags, answers with what it stored, and takes a version as precondition. `seconds`
 * has whole-second times, an index that lags, a field that it rewrites, calls that hold ids only, and takes a time as
 * precondition that equal times pass. `silent` has no precondition, answers nothing, and writes one record a call.
 */
export interface Style {
  readonly conditional: "version" | "time" | "none";
  /** Records carry a readable version. */
  readonly counter: boolean;
  readonly resolutionMs: number;
  readonly nameMax: number | null;
  readonly tagsMax: number | null;
  /** Answers of writes hold what was stored. */
  readonly returnsStored: boolean;
  /** Answers of writes hold the modified time. */
  readonly returnsTime: boolean;
  /** Rewrites the industry in a way that no codec tells. */
  readonly rewrites: boolean;
  readonly pushBatchMax: number;
  readonly pageSize: number;
  /** `feed`: changes in their order, with tombstones. `time`: by modified time and id, with a look-back. */
  readonly cursor: "feed" | "time";
  /** How long a change may be missing from pulls and look-ups. */
  readonly lagMs: number;
  /** How long a write may land after its call was given up. */
  readonly lateMs: number;
  /** Calls in a window that the system takes; it answers 429 to more. */
  readonly rate: { readonly count: number; readonly windowMs: number };
  readonly webhooks: boolean;
  /** Tombstones name the record that another one was merged into. */
  readonly namesMaster?: boolean;
  /** Listings are read by index: what moves while one is read shifts the rows behind it. */
  readonly shifting?: boolean;
  /** How far its clock is from the hub's. */
  readonly skewMs?: number;
}

export const styles: Readonly<Record<"lossy" | "seconds" | "silent", Style>> = {
  lossy: {
    conditional: "version",
    counter: true,
    resolutionMs: 1,
    nameMax: 14,
    tagsMax: 3,
    returnsStored: true,
    returnsTime: true,
    rewrites: false,
    pushBatchMax: 10,
    pageSize: 3,
    cursor: "feed",
    lagMs: 0,
    lateMs: 20_000,
    rate: { count: 30, windowMs: 10_000 },
    webhooks: true,
  },
  seconds: {
    conditional: "time",
    counter: false,
    resolutionMs: 1000,
    nameMax: null,
    tagsMax: null,
    returnsStored: false,
    returnsTime: true,
    rewrites: true,
    pushBatchMax: 10,
    pageSize: 3,
    cursor: "time",
    lagMs: 2_000,
    lateMs: 20_000,
    rate: { count: 40, windowMs: 10_000 },
    webhooks: true,
  },
  silent: {
    conditional: "none",
    counter: true,
    resolutionMs: 1,
    nameMax: null,
    tagsMax: null,
    returnsStored: false,
    returnsTime: false,
    rewrites: false,
    pushBatchMax: 1,
    pageSize: 4,
    cursor: "time",
    lagMs: 1_000,
    lateMs: 20_000,
    rate: { count: 60, windowMs: 10_000 },
    webhooks: false,
  },
};

/** A time cursor reads that far behind itself. */
export const lookbackMs = 5_000;
