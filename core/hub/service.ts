/**
 * The running hub, as the HTTP routes and the command line see it: what `serve` keeps going, beside the store.
 *
 * Whatever the store alone can answer (customers, conflicts, explanations, decisions) is asked of `hub()`; what needs
 * the live connections or changes what runs is asked here.
 */
import type { Effect } from "effect";
import type { Fault } from "../net/fault.ts";
import type { StoreFailed } from "../store/failure.ts";
import type { ConnectorBroken } from "../sync/call.ts";
import type { Hub } from "./open.ts";
import type { Plan } from "./plan.ts";

/** The channel by which a system calls the hub, where the hub makes it. */
export interface ChannelStatus {
  /** `asked`: it is being made; `failing`: it could not be, or not be looked at, for the reason. */
  readonly state: "asked" | "live" | "failing";
  readonly reason: string | null;
  readonly expiresAt: number | null;
}

/** What one connection does now, for `/readyz`, `/metrics`, the API and people. */
export interface ConnectionStatus {
  readonly name: string;
  readonly system: string;
  /**
   * `running` works or is ready to; `stopped` by a person; `waiting` until the system takes calls again; `held` by a
   * brake; `failing` (unreachable, refused credentials); `sleeping`: it is gone from the YAML, its links are kept.
   */
  readonly state: "running" | "stopped" | "waiting" | "held" | "failing" | "sleeping";
  readonly reason: string | null;
  /** Epoch milliseconds: until when it waits. */
  readonly until: number | null;
  /** What it does at this moment. */
  readonly busyWith: ReadonlyArray<"pull" | "sweep" | "inbox" | "push">;
  readonly nextPullAt: number | null;
  readonly nextSweepAt: number | null;
  /** Null where there is none to keep. */
  readonly channel: ChannelStatus | null;
  /** The process that keeps it going, where that is not this one. */
  readonly elsewhere: { readonly pid: number; readonly host: string } | null;
}

/** Whether a request to do something soon was taken. */
export type Asked =
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly reason: string; readonly remedy: string };

/** What a changed YAML would change, or has changed, in the running hub. */
export interface ReloadPlan {
  readonly added: ReadonlyArray<string>;
  /** Gone from the YAML: they sleep with their links until they come back, are renamed or removed. */
  readonly gone: ReadonlyArray<string>;
  readonly changed: ReadonlyArray<{ readonly connection: string; readonly what: ReadonlyArray<string> }>;
  /** Other keys of the YAML that changed, such as `policy.account.fields.phone`. */
  readonly hub: ReadonlyArray<string>;
  /** Changes that only a new start brings in, such as `hub.store`. */
  readonly needsRestart: ReadonlyArray<string>;
}

export type Reloaded =
  | { readonly kind: "done"; readonly plan: ReloadPlan }
  /** The YAML has errors; the hub goes on with the one it has. */
  | { readonly kind: "refused"; readonly problems: ReadonlyArray<string> };

export interface Service {
  /** The hub as it is configured now; a reload replaces it. */
  readonly hub: () => Hub;
  readonly connections: () => Effect.Effect<ReadonlyArray<ConnectionStatus>, StoreFailed>;
  /** Ready: the store answers, the lease is ours, and the first connections were made. */
  readonly readiness: () => { readonly ready: boolean; readonly reason: string | null };
  /** Stops pulling from and pushing to one connection, or lets it go on. */
  readonly pause: (name: string, actor: string) => Effect.Effect<Asked, StoreFailed>;
  readonly resume: (name: string, actor: string) => Effect.Effect<Asked, StoreFailed>;
  /** Pulls and pushes soon; `full` sweeps. What comes of it is a run. */
  readonly syncNow: (name: string, full: boolean, actor: string) => Effect.Effect<Asked, StoreFailed>;
  readonly plan: (options: {
    readonly names?: ReadonlyArray<string>;
    readonly full: boolean;
    readonly writesMax: number;
    readonly actor: string;
  }) => Effect.Effect<Plan, StoreFailed | Fault | ConnectorBroken>;
  /** What `reload` would change; nothing is changed. */
  readonly previewReload: () => Effect.Effect<Reloaded>;
  readonly reload: (actor: string) => Effect.Effect<Reloaded, StoreFailed>;
}
