/** What happens in a running hub, for those who watch: metrics, alerts, the log. No personal data. */
import type { Counts } from "../model/world.ts";
import type { PushCounts } from "../sync/push.ts";
import type { ConnectionReport } from "../sync/sync.ts";
import type { ConnectionStatus, ReloadPlan } from "./service.ts";

export type ServiceEvent =
  | {
      readonly kind: "pulled";
      readonly connection: string;
      readonly run: string;
      readonly full: boolean;
      readonly report: ConnectionReport;
    }
  | { readonly kind: "pushed"; readonly connection: string; readonly run: string; readonly counts: PushCounts }
  /** Webhook calls were read, or records that had to be looked at again. */
  | {
      readonly kind: "read";
      readonly connection: string;
      readonly run: string;
      readonly calls: number;
      /** Records that the calls named. */
      readonly records: number;
      readonly unreadable: number;
      readonly counts: Counts;
    }
  /** A webhook call was answered. */
  | {
      readonly kind: "hook";
      readonly connection: string;
      readonly verdict: "stored" | "known" | "handshake" | "refused";
      readonly status: number;
    }
  | {
      readonly kind: "state";
      readonly connection: string;
      readonly state: ConnectionStatus["state"];
      readonly reason: string | null;
    }
  | {
      readonly kind: "channel";
      readonly connection: string;
      readonly what: "registered" | "renewed" | "adopted" | "removed" | "failed";
      readonly reason: string | null;
    }
  /** Which process keeps a connection going has changed: this one does now, has given it away, or another one has taken it. */
  | { readonly kind: "lease"; readonly connection: string; readonly what: "taken" | "given" | "lost" }
  | { readonly kind: "reloaded"; readonly plan: ReloadPlan }
  | { readonly kind: "store"; readonly ok: boolean; readonly reason: string | null };

export type Listener = (event: ServiceEvent) => void;
