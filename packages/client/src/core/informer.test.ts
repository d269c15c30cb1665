/** Reflector and informer, against a server that drops, forgets and refuses. */
import { createFakeClock, createSeededRandom, type FakeClock } from "@nanokube/machinery";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFakeApiServer, type FakeApiServer, refuse } from "../testing/fake-apiserver.ts";
import { createClient } from "./client.ts";
import { createInformer, type SharedInformer } from "./informer.ts";
import { createInformerFactory } from "./informer-factory.ts";
import { pods } from "./resources.ts";

const collection = "/api/v1/namespaces/default/pods";
const pod = (name: string, nodeName = "n1") => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { app: name } },
  spec: { nodeName },
});

let clock: FakeClock;
let server: FakeApiServer;
let stop: AbortController;

beforeEach(() => {
  clock = createFakeClock();
  server = createFakeApiServer();
  stop = new AbortController();
});
afterEach(() => stop.abort());

function start(labelSelector?: string) {
  const client = createClient({ transport: server.transport, clock });
  const random = createSeededRandom(1);
  const byNode = (object: { spec?: { nodeName?: string } }) => [object.spec?.nodeName ?? ""];
  const informer = createInformer({
    client,
    resource: pods,
    clock,
    random,
    labelSelector,
    indexers: { node: byNode },
  });
  const seen: string[] = [];
  informer.onEvent({
    add: (object) => seen.push(`+${object.metadata?.name}`),
    update: (_, object) => seen.push(`~${object.metadata?.name}`),
    delete: (object) => seen.push(`-${object.metadata?.name}`),
  });
  informer.start(stop.signal);
  return { informer, seen };
}

const names = (informer: SharedInformer) => informer.indexer.keys().sort();

describe("informer", () => {
  test("lists, then follows", async () => {
    server.put(collection, pod("a"));
    const { informer, seen } = start();
    expect(informer.hasSynced()).toBe(false);
    await clock.step(0);
    expect(informer.hasSynced()).toBe(true);
    server.put(collection, pod("b", "n2"));
    server.put(collection, pod("a", "n2"));
    server.remove(collection, "b");
    await clock.step(0);
    expect(seen).toEqual(["+a", "+b", "~a", "-b"]);
    expect(names(informer)).toEqual(["default/a"]);
    expect(informer.indexer.byIndex("node", "n2").map((p) => p.metadata?.name)).toEqual(["a"]);
    expect(informer.indexer.byIndex("node", "n1")).toEqual([]);
  });

  test("resumes a broken watch without listing again", async () => {
    const { informer, seen } = start();
    await clock.step(0);
    server.dropWatches();
    server.put(collection, pod("a"));
    await clock.step(5_000);
    expect(seen).toEqual(["+a"]);
    expect(names(informer)).toEqual(["default/a"]);
    const lists = server.requests.filter(({ path }) => !path.includes("watch=true"));
    expect(lists).toHaveLength(1);
  });

  test("lists again after 410, and tells what went meanwhile", async () => {
    server.put(collection, pod("gone"));
    server.put(collection, pod("kept"));
    const { informer, seen } = start();
    await clock.step(0);
    server.dropWatches();
    server.remove(collection, "gone");
    server.put(collection, pod("new"));
    server.compact();
    await clock.step(60_000);
    expect(seen.slice(0, 3)).toEqual(["+gone", "+kept", "-gone"]);
    expect(seen).toContain("+new");
    expect(names(informer)).toEqual(["default/kept", "default/new"]);
    const relist = server.requests.filter(({ path }) => path.includes("limit=500"));
    expect(relist).toHaveLength(1);
    expect(relist[0]!.path).not.toContain("resourceVersion");
  });

  test("keeps trying a server that refuses or is away, slower each time", async () => {
    let tries = 0;
    server.handle = () => {
      tries++;
      if (tries % 2 === 0) throw new Error("connect ECONNREFUSED");
      return refuse(403, "Forbidden", "no");
    };
    server.put(collection, pod("a"));
    const { informer } = start();
    await clock.step(10_000);
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(8);
    server.handle = undefined;
    await clock.step(60_000);
    expect(names(informer)).toEqual(["default/a"]);
  });

  test("selectors go to the server, a late handler is told what is there", async () => {
    server.put(collection, pod("a"));
    server.put(collection, pod("b"));
    const { informer } = start("app=b");
    await clock.step(0);
    const late: (string | undefined)[] = [];
    informer.onEvent({ add: (object) => late.push(object.metadata?.name) });
    expect(late).toEqual(["b"]);
  });

  test("one that throws stops nobody", async () => {
    const { informer } = start();
    const seen: string[] = [];
    informer.onEvent({
      add: () => {
        throw new Error("bad handler");
      },
    });
    informer.onEvent({ add: (object) => seen.push(object.metadata?.name ?? "") });
    await clock.step(0);
    server.put(collection, pod("a"));
    await clock.step(0);
    expect(seen).toEqual(["a"]);
  });

  test("stops with its signal and leaves no watch open", async () => {
    start();
    await clock.step(0);
    expect(server.openWatches).toBe(1);
    stop.abort();
    await clock.step(0);
    expect(server.openWatches).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("a factory gives one informer per resource", async () => {
    server.put(collection, pod("a"));
    const client = createClient({ transport: server.transport, clock });
    const factory = createInformerFactory({ client, clock });
    const informer = factory.for(pods);
    factory.start(stop.signal);
    expect(factory.for(pods, { indexers: { all: () => ["x"] } })).toBe(informer);
    await clock.step(0);
    await factory.waitForSync();
    expect(informer.indexer.byIndex("all", "x")).toHaveLength(1);
  });
});
