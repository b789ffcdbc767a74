/**
 * Notification channels. A channel lives a week at most; an expiry beyond that shrinks to one hour without an error.
 *
 * Source  Zoho CRM API v8, "Notification APIs".
 */
import { createNotices, type Notices } from "../../../core/simulator.ts";
import type { Change } from "./store.ts";
import { isModule, type Module, moduleIds, moduleNames } from "./tenant.ts";
import { answer, batch, empty, errorOf, isJson, type Json, Refused, refuse } from "./wire.ts";

interface Channel {
  readonly id: string;
  readonly events: ReadonlyArray<string>;
  readonly expiresAt: number;
  readonly url: string;
  readonly token: string | null;
  readonly withValues: boolean;
}

/** A call that Zoho makes to a channel's address; the test decides whether, how often and in which order. */
export interface Notification {
  readonly url: string;
  readonly body: Json;
}

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
const tokenLengthMax = 50;
const urlLengthMax = 255;
/** Nobody may be there to take them. */
const pendingMax = 10_000;
const pageRowsMax = 200;
const events = ["create", "edit", "delete"] as const;
const eventOf = { insert: "create", update: "edit", delete: "delete" } as const;

export interface WatchOptions {
  readonly now: () => number;
  readonly time: (instant: number) => string;
}

export type Watch = ReturnType<typeof createWatch>;

export function createWatch({ now, time }: WatchOptions) {
  const channels = new Map<string, Channel>();
  let pending: Array<Notification> = [];
  let calls = 0;

  const alive = (id: string): Channel | undefined => {
    const channel = channels.get(id);
    return channel !== undefined && channel.expiresAt > now() ? channel : undefined;
  };

  const wrong = (name: string): Json => errorOf("INVALID_DATA", "invalid data", { api_name: name });
  const missing = (name: string): Json =>
    errorOf("MANDATORY_NOT_FOUND", "required field not found", { api_name: name });

  const expand = (given: unknown): ReadonlyArray<string> | undefined => {
    if (!Array.isArray(given)) return undefined;
    const names = given.map(String).flatMap((event) => {
      const [module, kind] = event.split(".");
      return kind === "all" ? events.map((one) => `${module}.${one}`) : [event];
    });
    const isKnown = (name: string) => {
      const [module, kind] = name.split(".");
      return isModule(module) && events.some((one) => one === kind);
    };
    return names.length > 0 && names.every(isKnown) ? [...new Set(names)] : undefined;
  };

  const expiryOf = (given: unknown): number => {
    const asked = typeof given === "string" ? Date.parse(given) : Number.NaN;
    return asked > now() && asked <= now() + weekMs ? asked : now() + hourMs;
  };

  /** A channel from what was sent, over what is known of it. */
  const channelOf = (given: Json, known: Channel | undefined): Channel | Json => {
    if (given.channel_id === undefined) return missing("channel_id");
    const id = String(given.channel_id);
    if (!/^\d{1,19}$/.test(id)) return wrong("channel_id");
    if (given.events === undefined && known === undefined) return missing("events");
    const names = given.events === undefined ? known?.events : expand(given.events);
    if (names === undefined) return wrong("events");
    const url = given.notify_url ?? known?.url;
    if (url === undefined) return missing("notify_url");
    if (typeof url !== "string" || url.length > urlLengthMax || !/^https?:\/\//.test(url)) return wrong("notify_url");
    const token = given.token === undefined ? (known?.token ?? null) : given.token;
    if (token !== null && (typeof token !== "string" || token.length > tokenLengthMax)) return wrong("token");
    const isKept = given.channel_expiry === undefined && known !== undefined;
    return {
      id,
      events: names,
      url,
      token,
      expiresAt: isKept ? known.expiresAt : expiryOf(given.channel_expiry),
      withValues:
        given.return_affected_field_values === true ||
        (given.return_affected_field_values === undefined && known?.withValues === true),
    };
  };

  const isChannel = (value: Channel | Json): value is Channel => "expiresAt" in value && "withValues" in value;

  const modulesOf = (channel: Channel): ReadonlyArray<Module> =>
    moduleNames.filter((module) => channel.events.some((event) => event.startsWith(`${module}.`)));

  const resource = (module: Module): Json => ({
    resource_uri: `https://www.zohoapis.com/crm/v2/${module}`,
    resource_id: moduleIds[module],
  });

  const success = (message: string, details: Json): Json => ({ code: "SUCCESS", details, message, status: "success" });

  const entryOf = (channel: Channel, message: string): Json =>
    success(message, {
      events: modulesOf(channel).map((module) => ({
        channel_id: channel.id,
        channel_expiry: time(channel.expiresAt),
        resource_name: module,
        ...resource(module),
      })),
    });

  const inputs = (body: unknown): ReadonlyArray<Json> => {
    const list = isJson(body) && Array.isArray(body.watch) ? body.watch.filter(isJson) : [];
    if (list.length === 0)
      throw new Refused(400, "MANDATORY_NOT_FOUND", "required field not found", { api_name: "watch" });
    return list;
  };

  const save = (body: unknown, way: "enable" | "replace" | "change"): Response => {
    const entries = inputs(body).map((given) => {
      const known = alive(String(given.channel_id));
      if (way !== "enable" && known === undefined) {
        return errorOf("NOT_SUBSCRIBED", "the channel is not subscribed", { channel_id: given.channel_id ?? null });
      }
      if (way === "change" && given._delete_events === true && known !== undefined) {
        const gone = new Set(expand(given.events));
        const rest = { ...known, events: known.events.filter((event) => !gone.has(event)) };
        channels.set(known.id, rest);
        return entryOf(rest, "Successfully removed the subscribe details");
      }
      const channel = channelOf(given, way === "change" ? known : undefined);
      if (!isChannel(channel)) return channel;
      channels.set(channel.id, channel);
      const message =
        way === "enable"
          ? "Successfully subscribed for actions-watch of the given module"
          : "Successfully updated the subscribe details";
      return entryOf(channel, message);
    });
    return batch(entries, way === "enable" ? 201 : 200, "watch");
  };

  const list = (request: Request): Response => {
    const query = new URL(request.url).searchParams;
    const id = query.get("channel_id");
    const module = query.get("module");
    const shown = [...channels.values()]
      .filter((channel) => channel.expiresAt > now() && (id === null || channel.id === id))
      .flatMap((channel) =>
        modulesOf(channel)
          .filter((name) => module === null || name === module)
          .map((name) => ({
            ...resource(name),
            resource_name: name,
            channel_id: channel.id,
            channel_expiry: time(channel.expiresAt),
            notify_url: channel.url,
            token: channel.token,
            events: channel.events.filter((event) => event.startsWith(`${name}.`)),
            return_affected_field_values: channel.withValues,
            notify_on_related_action: true,
          })),
      );
    const size = Math.min(Number(query.get("per_page") ?? pageRowsMax), pageRowsMax);
    const page = Number(query.get("page") ?? 1);
    const rows = shown.slice((page - 1) * size, page * size);
    if (rows.length === 0) return empty(204);
    const more_records = shown.length > page * size;
    return answer({ watch: rows, info: { per_page: size, count: rows.length, page, more_records } });
  };

  const disable = (request: Request): Response => {
    const ids = new URL(request.url).searchParams.get("channel_ids");
    if (ids === null || ids === "") throw refuse.parameter("channel_ids");
    const entries = ids.split(",").flatMap((id) => {
      const channel = alive(id);
      channels.delete(id);
      if (channel === undefined)
        return [errorOf("NOT_SUBSCRIBED", "the channel is not subscribed", { channel_id: id })];
      return modulesOf(channel).map((module) =>
        success("Successfully un-subscribed from actions-watch", { ...resource(module), channel_id: id }),
      );
    });
    return batch(entries, 200, "watch");
  };

  const take = (): ReadonlyArray<Notification> => {
    const taken = pending;
    pending = [];
    return taken;
  };

  const notices = createNotices({
    take: () =>
      take().map(({ url, body }) => {
        calls += 1;
        const headers = { "content-type": "application/json;charset=UTF-8" };
        return { id: String(calls), url, headers, body: JSON.stringify(body) };
      }),
  });

  const note = ({ module, operation, id, values }: Change): void => {
    const before = pending.length;
    for (const channel of channels.values()) {
      if (channel.expiresAt <= now() || !channel.events.includes(`${module}.${eventOf[operation]}`)) continue;
      pending.push({
        url: channel.url,
        body: {
          server_time: now(),
          affected_values: channel.withValues ? [{ record_id: id, values }] : [],
          query_params: Object.fromEntries(new URL(channel.url).searchParams),
          module,
          resource_uri: `https://www.zohoapis.com/crm/v2/${module}`,
          ids: [id],
          affected_fields: operation === "insert" ? [] : [{ [id]: Object.keys(values) }],
          operation,
          channel_id: channel.id,
          token: channel.token,
        },
      });
    }
    if (pending.length > pendingMax) pending = pending.slice(-pendingMax);
    if (pending.length > before) notices.ring();
  };

  return {
    save,
    list,
    disable,
    note,
    /** What Zoho would have sent since the last call. */
    take,
    notices: notices satisfies Notices,
    /** Loses a channel without a word, as happens when the user who consented is deactivated. */
    lose: (id: string): void => {
      channels.delete(id);
    },
  };
}
