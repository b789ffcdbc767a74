import { expect, it } from "vitest";
import { ConnectionCut } from "../../core/simulator.ts";
import { serveSimulator } from "../../core/simulator-server.ts";

it("mounts a simulator on a loopback port and hands it the call as it came", async () => {
  const server = await serveSimulator({
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      return Response.json({
        method: request.method,
        path: pathname + search,
        body,
        one: request.headers.get("x-one"),
      });
    },
  });
  try {
    const answer = await fetch(`${server.url}/a/b?c=1`, { method: "PUT", body: "文", headers: { "X-One": "1" } });
    expect(await answer.json()).toEqual({ method: "PUT", path: "/a/b?c=1", body: "文", one: "1" });
  } finally {
    await server.close();
  }
});

it("answers without a body where the simulator does", async () => {
  const server = await serveSimulator({ fetch: async () => new Response(null, { status: 204 }) });
  const answer = await fetch(server.url);
  expect([answer.status, await answer.text()]).toEqual([204, ""]);
  await server.close();
});

it("cuts the connection without an answer where the fault plan says so, and goes on serving", async () => {
  let calls = 0;
  const server = await serveSimulator({
    fetch: async () => {
      calls += 1;
      if (calls === 1) throw new ConnectionCut();
      return new Response("well");
    },
  });
  await expect(fetch(server.url)).rejects.toThrow();
  expect(await (await fetch(server.url)).text()).toBe("well");
  await server.close();
  await expect(fetch(server.url)).rejects.toThrow();
});
