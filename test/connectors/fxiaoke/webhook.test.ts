/** The vendor's published vector, those derived from it, and what the tenant's event sender makes of an answer. */
import { describe, expect, it } from "vitest";
import { encrypted, signatureOf } from "../../../connectors/fxiaoke/simulator/events.ts";
import { createWebhook, eventKeyOf, replyOf } from "../../../connectors/fxiaoke/webhook.ts";
import { type Accepted, Forged, type HookCall, Unreadable, type Webhook } from "../../../core/connector.ts";
import { callOf } from "../../kit/contract/hooks.ts";
import { type FxiaokeWorldOptions, fxiaokeWorld, minuteMs } from "./kit.ts";

const aesKey = "O0YjM0EDOygzNykzMzUjLwUTN3MjL5ADN1QjM5gTM0A=";
const objects = { account: "AccountObj", contact: "ContactObj" };
const sentAt = 1_604_644_770_244;
const webhook = createWebhook({ aesKey, objects, now: () => sentAt + 1 });

const published = {
  signature: "4d7c6742d8efed705054fe895ee487df738c8c50",
  timestamp: sentAt,
  nonce: "mi3wrpKNnq4YdIZC",
  messageId: "AC11291700002A9F00000608C038697A0",
  retryTimes: 1,
  enterpriseAccount: "gxcxkj",
  encryptedContent:
    "tRPD30ygQKxFurdWxHQKpRypuXNbRcW/knsKZBCPJv9bsKnQJlUr26USpOgJqhVUm5Q2NiVG1IBrCr0dbrsreRZY6Z5/fbw75IlGQ2d7PkMWtVTAE0RG62j7HJQWAwm+XdmQC4y1AbjHzatjjrXiCKcId112DHZSqB0qznivDStywTjscnNWhaR7xbnSbmKQWsF5YlPUEudZ+P07Ol/cd6F8IXOo+nEu7UH21hRSgKI=",
};

const callWith = (body: unknown): HookCall => ({
  headers: {},
  query: {},
  body: Buffer.from(JSON.stringify(body)),
  receivedAt: sentAt,
});
const accept = (body: unknown, by: Webhook = webhook): Accepted => by.accept(callWith(body), []);

/** The refusal's words, or undefined where the call was accepted. */
function refusal(body: unknown, by?: Webhook): string | undefined {
  try {
    accept(body, by);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(Forged);
    return error instanceof Forged ? error.message : undefined;
  }
}

/** Signed with the right key, whatever it holds. */
function signed(content: string): unknown {
  const { signature: _, ...rest } = { ...published, encryptedContent: content };
  return { ...rest, signature: signatureOf(rest, aesKey) };
}

describe("an event of Fxiaoke", () => {
  it("is proven and opened as in the vendor's vector", () => {
    expect(accept(published)).toMatchObject({ kind: "delivery", key: published.messageId, sentAt });
    expect(webhook.read(callWith(published))).toEqual([
      { kind: "records", entity: "account", ids: ["5f9cd4e6e4400e0001217faa"] },
    ]);
  });

  it("carries no retryTimes when it comes for the first time", () => {
    const { retryTimes: _, ...first } = { ...published, signature: "8efa909614b2b70946bb1e365860331e56568123" };
    expect(accept(first)).toMatchObject({ key: published.messageId });
    expect(refusal({ ...first, retryTimes: 1 })).toBeDefined();
    expect(refusal({ ...published, retryTimes: 2 })).toBeDefined();
  });

  it("is answered with the word success, encrypted and signed", () => {
    expect(replyOf(eventKeyOf(aesKey), { timestamp: 1_604_644_770_245, nonce: "123456" })).toEqual({
      signature: "12015f6ae7811ec9bdce73606e43b65556435d1f",
      timestamp: 1_604_644_770_245,
      nonce: "123456",
      encryptedResult: "9iY+j+IteClCLdRu0eswVQ==",
    });
    const accepted = accept(published);
    expect(accepted.answer).toMatchObject({ status: 200, mediaType: "application/json;charset=UTF-8" });
    expect(JSON.parse(accepted.answer?.body ?? "")).toMatchObject({ timestamp: sentAt + 1 });
  });

  it("is refused in the same words whether the signature, the key or the content is wrong", () => {
    const otherKey = createWebhook({ aesKey: Buffer.alloc(32, 7).toString("base64"), objects, now: () => sentAt });
    const words = [
      refusal({ ...published, signature: "0".repeat(40) }),
      refusal(published, otherKey),
      refusal(signed("bm8gYmxvY2s=")),
      refusal(signed("")),
      refusal({ ...published, encryptedContent: undefined }),
      refusal([]),
    ];
    expect(new Set(words).size).toBe(1);
    expect(words).not.toContain(undefined);
  });

  it("that asks for no record asks for a pull, and one about another object is unreadable", () => {
    const of = (content: unknown) => webhook.read(callWith(signed(encrypted(JSON.stringify(content), aesKey))));
    expect(of({ apiName: "ContactObj" })).toEqual([{ kind: "pull", entity: "contact" }]);
    expect(of({ apiName: "SalesOrderObj", dataId: "1" })).toBeInstanceOf(Unreadable);
    expect(webhook.read(callWith(signed(encrypted("[]", aesKey))))).toBeInstanceOf(Unreadable);
  });
});

/** A tenant whose events go to a hub. */
async function subscribed(options: FxiaokeWorldOptions = {}) {
  const world = await fxiaokeWorld(options);
  world.simulator.setAddress("https://hub.acme.example/hooks/fxiaoke-cn");
  const { webhook: taken } = world.api;
  if (taken === undefined) throw new Error("an aesKey is set");
  const answerTo = (body: string): string | undefined =>
    taken.accept(callOf({ id: "", url: "https://hub.acme.example/", headers: {}, body }, 0), []).answer?.body;
  return { ...world, answerTo };
}

describe("the tenant that sends events", () => {
  it("is content with the answer, and sends the event once", async () => {
    const { simulator, clock, account, answerTo } = await subscribed();
    account();
    for (const notice of simulator.notices.take())
      simulator.notices.answered(notice, { status: 200, body: answerTo(notice.body) ?? "" });
    clock.advance(9 * minuteMs);
    expect(simulator.notices.take()).toEqual([]);
  });

  it.each([
    ["nobody answers", null],
    ["the answer is not signed", { status: 200, body: '{"encryptedResult":"9iY+j+IteClCLdRu0eswVQ=="}' }],
    ["the answer is a refusal", { status: 401, body: '{"error":"the call is not proven"}' }],
  ])("sends it again after nine minutes when %s", async (_, answer) => {
    const { simulator, clock, account, answerTo } = await subscribed();
    account();
    const [notice] = simulator.notices.take();
    if (notice === undefined) throw new Error("no event was sent");
    simulator.notices.answered(notice, answer);
    expect(simulator.notices.take()).toEqual([]);
    clock.advance(9 * minuteMs);
    const [again] = simulator.notices.take();
    expect(JSON.parse(again?.body ?? "{}")).toMatchObject({
      retryTimes: 1,
      messageId: JSON.parse(notice.body).messageId,
    });
    expect(answerTo(again?.body ?? "")).toBeDefined();
  });
});
