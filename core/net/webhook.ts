/** Webhooks as connectors see them: a call as it came in, what accepting it tells, and what reading it asks for. */
import type { Unreadable } from "../model/codec.ts";
import type { Entity } from "../model/field.ts";

/** A call to this connection's address, as received. */
export interface HookCall {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** As it came over the wire; its bytes are what a signature covers. */
  readonly body: Uint8Array;
  /** By our clock. */
  readonly receivedAt: number;
}

/** What the sender waits to hear; 200 without a body unless said. */
export interface HookAnswer {
  readonly status: number;
  readonly mediaType?: string;
  readonly body?: string;
}

/** The verdict on a call whose sender was proven. */
export type Accepted =
  | {
      readonly kind: "delivery";
      /** The sender's own id of this delivery; null where it gives none. */
      readonly key: string | null;
      /** When it was sent, by the sender's clock; null where it does not say. */
      readonly sentAt: number | null;
      readonly answer?: HookAnswer;
    }
  /** The sender only asks whether we are who we say; nothing is stored. */
  | { readonly kind: "handshake"; readonly answer: HookAnswer };

/** What a call asks for: records to be read again, or whatever has changed where it names none. */
export type Hint =
  | { readonly kind: "records"; readonly entity: Entity; readonly ids: ReadonlyArray<string> }
  | { readonly kind: "pull"; readonly entity: Entity };

/** A channel through which a vendor calls us. */
export interface Channel {
  readonly id: string;
  /** Where its calls go, as the core has asked for it: without what the connector puts there itself. */
  readonly url: string;
  /**
   * What its calls carry to prove where they come from; null where the vendor does not tell. The core makes secrets of
   * 32 characters (letters, digits, `-` and `_`).
   */
  readonly secret: string | null;
  readonly expiresAt: number | null;
  readonly entities: ReadonlyArray<Entity>;
}

/** The channels that the vendor keeps for us, for vendors where they are made through the API. */
export interface Channels {
  /** How long a channel may live from now on; the core asks for a little less. */
  readonly lifeMs: number;
  /** A fresh id for a channel; `random` gives numbers in [0, 1). */
  readonly newId: (random: () => number) => string;
  readonly list: () => Promise<ReadonlyArray<Channel>>;
  /** Makes the channel, or renews it; answers with it as the vendor keeps it, which may live shorter than asked. */
  readonly save: (channel: Channel, exists: boolean) => Promise<Channel>;
  readonly remove: (ids: ReadonlyArray<string>) => Promise<void>;
}

/** A connection's webhook. */
export interface Webhook {
  /** A call that was sent longer ago, or lies further ahead, is refused. */
  readonly windowMs: number;
  /**
   * Proves who sent the call: cheap, before anything is stored. `secrets` are the ones of the channels, or of the YAML;
   * several while one takes over from the other. Throws Forged for a call that is not proven, and for one that no
   * sender of this system makes.
   */
  readonly accept: (call: HookCall, secrets: ReadonlyArray<string>) => Accepted;
  /** Reads an accepted call, later, and again when it is replayed. */
  readonly read: (call: HookCall) => ReadonlyArray<Hint> | Unreadable;
  readonly channels?: Channels;
}
