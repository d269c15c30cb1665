/**
 * The server as a wire protocol: bad messages, sizes, TCP, other servers behind it, its HTTP doors.
 */
import { createSocket, type Socket } from "node:dgram";
import { nullLog, systemClock } from "@nanokube/machinery";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { TestEnvironment } from "../../testenv/src/index.ts";
import { createDns, type DnsOptions, decodeQuery, encodeResponse, rcodes } from "../src/index.ts";
import { question, send, sendTCP, show } from "./ask.ts";
import { port, service, slice, startCluster } from "./cluster.ts";

const many = Array.from({ length: 200 }, (_, i) => ({ addresses: [`10.244.9.${i}`] }));
let env: TestEnvironment;
beforeAll(async () => {
  env = await startCluster(
    service("shop/many", { clusterIP: "None", ports: [port("http", 80)] }),
    slice("shop/many", [port("http", 80)], many),
  );
});
afterAll(() => env?.stop());

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Partial<DnsOptions> = {}) {
  const stop = new AbortController();
  const dns = createDns({
    client: env.client,
    clusterDomain: "cluster.local",
    upstreams: [],
    listen: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
    log: nullLog,
    ...options,
  });
  await dns.start(stop.signal);
  cleanups.push(() => {
    stop.abort();
    return dns.closed;
  });
  await dns.ready;
  return dns;
}

/** Another name server: answers every A question with `address`, counts them; "" says nothing. */
async function other(address: string): Promise<{ at: string; asked: string[] }> {
  const socket: Socket = createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (message, from) => {
    const query = decodeQuery(message);
    asked.push(query.question.labels.join("."));
    if (address === "") return;
    const name = query.question.labels.join(".");
    const answer = encodeResponse(
      query,
      {
        rcode: rcodes.NOERROR,
        authoritative: false,
        recursionAvailable: true,
        answers: [{ type: "A", name, ttl: 300, address }],
        authority: [],
        additional: [],
      },
      4096,
    );
    socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return { at: `127.0.0.1:${socket.address().port}`, asked };
}

const web = "A web.shop.svc.cluster.local";

test("messages that are no question are refused in DNS's codes, or not answered", async () => {
  const { port: at } = await start();
  const change = (edit: (bytes: Uint8Array) => void) => {
    const bytes = question(web, { bare: true });
    edit(bytes);
    return bytes;
  };
  const rcode = async (bytes: Uint8Array) => (await send(at, bytes, 300))?.[3];
  const withoutQuestion = change((b) => {
    b[5] = 0;
  });
  expect(await rcode(withoutQuestion)).toBe(rcodes.FORMERR);
  expect(
    await rcode(
      change((b) => {
        b[5] = 2;
      }),
    ),
  ).toBe(rcodes.FORMERR);
  expect(await rcode(question(web).slice(0, 20))).toBe(rcodes.FORMERR);
  expect(
    await rcode(
      change((b) => {
        b[12] = 0xc0;
        b[13] = 12;
      }),
    ),
  ).toBe(rcodes.FORMERR);
  expect(
    await rcode(
      change((b) => {
        b[2] = 5 << 3;
      }),
    ),
  ).toBe(rcodes.NOTIMP); // UPDATE
  expect(
    await rcode(
      change((b) => {
        b[b.length - 1] = 3;
      }),
    ),
  ).toBe(rcodes.REFUSED); // CHAOS
  expect(
    await rcode(
      change((b) => {
        b[2] = 0x80;
      }),
    ),
  ).toBeUndefined(); // an answer
  expect(await rcode(new Uint8Array([1, 2, 3]))).toBeUndefined();
  const version1 = question(web);
  version1[version1.length - 5] = 1;
  const badVersion = (await send(at, version1))!;
  expect([badVersion[3]! & 15, badVersion.at(-6)]).toEqual([0, 1]); // extended: 16
  expect(show((await send(at, question(web)))!).status).toBe("NOERROR");
});

test("what does not fit is cut with TC, and comes whole by TCP", async () => {
  const { port: at } = await start();
  const asked = "A many.shop.svc.cluster.local";
  const bare = (await send(at, question(asked, { bare: true })))!;
  expect(bare.length).toBeLessThanOrEqual(512);
  expect(show(bare)).toMatchObject({ status: "NOERROR", flags: "aa tc" });
  const edns = (await send(at, question(asked, { size: 4096 })))!;
  expect(show(edns).answer).toHaveLength(200);
  expect(show(edns).flags).toBe("aa");
  const [whole] = await sendTCP(at, [question(asked, { bare: true })]);
  expect(show(whole!).answer).toHaveLength(200);
});

test("one TCP connection carries many questions at once", async () => {
  const { port: at } = await start();
  const ids = Array.from({ length: 50 }, (_, i) => i + 1);
  const answers = await sendTCP(
    at,
    ids.map((id) => question(web, { id })),
  );
  expect(answers.map((a) => (a[0]! << 8) | a[1]!).sort((a, b) => a - b)).toEqual(ids);
});

test("each address comes first in its turn", async () => {
  const { port: at } = await start();
  const first = new Set<string>();
  for (let i = 0; i < 6; i++) {
    const answer = (await send(at, question("A db.shop.svc.cluster.local")))!;
    first.add(answer.subarray(-15, -11).join("."));
  }
  expect(first.size).toBe(3);
});

test("other names are asked elsewhere, and remembered", async () => {
  const upstream = await other("192.0.2.1");
  const { port: at } = await start({ upstreams: [upstream.at] });
  const first = show((await send(at, question("A www.example.com")))!);
  expect(first).toMatchObject({
    status: "NOERROR",
    answer: ["www.example.com. 300 A 192.0.2.1"],
    flags: "ra",
  });
  const again = (await send(at, question("A WWW.example.com", { id: 99 })))!;
  expect([again[0], again[1]]).toEqual([0, 99]);
  expect(show(again).answer[0]).toMatch(/^WWW\.example\.com\. (300|299) A/);
  expect(upstream.asked.filter((name) => name === "www.example.com")).toHaveLength(1);
  expect(show((await send(at, question("PTR 9.9.9.9.in-addr.arpa")))!).status).toBe("NOERROR");
});

test("an ExternalName brings its target's address", async () => {
  const upstream = await other("192.0.2.1");
  const { port: at } = await start({ upstreams: [upstream.at], ttl: 5 });
  const { answer } = show((await send(at, question("A out.shop.svc.cluster.local")))!);
  expect(answer).toEqual([
    "out.shop.svc.cluster.local. 5 CNAME www.example.com.",
    "www.example.com. 300 A 192.0.2.1",
  ]);
});

test("a server that does not answer is passed over; none left is SERVFAIL", async () => {
  const dead = createSocket("udp4");
  await new Promise<void>((resolve) => dead.bind(0, "127.0.0.1", resolve));
  const deadAt = `127.0.0.1:${dead.address().port}`;
  await new Promise<void>((resolve) => dead.close(() => resolve()));
  const upstream = await other("192.0.2.1");
  const { port: at } = await start({ upstreams: [deadAt, upstream.at] });
  for (const name of ["a", "b", "c"]) {
    expect(show((await send(at, question(`A ${name}.example.com`)))!).status).toBe("NOERROR");
  }
  const alone = await start({ upstreams: [deadAt] });
  expect(show((await send(alone.port, question("A a.example.com")))!).status).toBe("SERVFAIL");
});

test("a server whose questions come back to it stops forwarding", async () => {
  const mirror = createSocket("udp4");
  const free = createSocket("udp4");
  for (const s of [mirror, free]) await new Promise<void>((done) => s.bind(0, "127.0.0.1", done));
  const { port: own } = free.address();
  await new Promise<void>((done) => free.close(() => done()));
  mirror.on("message", (message) => mirror.send(message, own, "127.0.0.1"));
  cleanups.push(() => new Promise<void>((done) => mirror.close(() => done())));
  let noticed = () => {};
  const loop = new Promise<void>((resolve) => {
    noticed = resolve;
  });
  const log = { ...nullLog, error: () => noticed() };
  const upstreams = [`127.0.0.1:${mirror.address().port}`];
  await start({ upstreams, log, listen: { host: "127.0.0.1", port: own } });
  await loop;
  const answer = await send(own, question("A www.example.com"), 300);
  expect(show(answer!).status).toBe("SERVFAIL");
});

test("/health, /ready and /metrics", async () => {
  const door = { host: "127.0.0.1", port: 0 };
  const ports: Record<string, number> = {};
  const log = { ...nullLog, info: (fields: object) => Object.assign(ports, fields) };
  await start({ health: door, ready: door, metrics: door, log });
  const { doors } = ports as unknown as {
    doors: { health: number; ready: number; metrics: number };
  };
  const get = async (at: number, path: string) => {
    const response = await fetch(`http://127.0.0.1:${at}${path}`);
    return `${response.status} ${await response.text()}`;
  };
  expect(await get(doors.health, "/health")).toBe("200 OK");
  expect(await get(doors.ready, "/ready")).toBe("200 OK");
  expect(await get(doors.metrics, "/metrics")).toContain("coredns_dns_requests_total");
  expect(await get(doors.health, "/other")).toMatch(/^404/);
});

test("an upstream that is no address, and a port that is taken, are said", async () => {
  await expect(start({ upstreams: ["dns.example.com"] })).rejects.toThrow(
    "not an IP address or IP:port: dns.example.com",
  );
  const { port: at } = await start();
  await expect(start({ listen: { host: "127.0.0.1", port: at } })).rejects.toThrow(/EADDRINUSE/);
});
