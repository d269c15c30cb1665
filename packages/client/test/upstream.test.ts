/** The client against upstream's kube-apiserver, over HTTP/2 and HTTP/1.1. */
import { createSeededRandom, systemClock } from "@nanokube/machinery";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClosableTransport,
  configMaps,
  createClient,
  createEventRecorder,
  createHttpTransport,
  createInformer,
  events,
  isAlreadyExists,
  isConflict,
  isNotFound,
  isReason,
  namespaces,
  readBody,
  runLeaderElection,
  secrets,
} from "../src/index.ts";
import { startUpstream, subjects, type UpstreamApiServer } from "./upstream.ts";

const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default", labels: { app: "test" } },
  data,
});

describe.each(subjects)("client on $name", ({ subject, missing }) => {
  describe.skipIf(missing !== undefined)("works", () => {
    let upstream: UpstreamApiServer;
    const transports: ClosableTransport[] = [];
    const connect = (protocol: "auto" | "http/1.1" = "auto") => {
      const transport = createHttpTransport(upstream.config, { protocol });
      transports.push(transport);
      return createClient({ transport });
    };
    beforeAll(async () => {
      upstream = await startUpstream([], subject);
    }, 90_000);
    afterAll(async () => {
      for (const transport of transports) transport.close();
      await upstream?.stop();
    });

    test.each(["auto", "http/1.1"] as const)("writes and reads over %s", async (protocol) => {
      const name = `w-${protocol === "auto" ? "h2" : "h1"}`;
      const api = connect(protocol).resource(configMaps).namespace("default");
      const made = await api.create(configMap(name, { a: "1" }));
      expect(made.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
      await expect(api.create(configMap(name))).rejects.toSatisfy(isAlreadyExists);
      const patched = await api.patch(name, { data: { b: "2" } }, { type: "merge" });
      expect(patched.data).toEqual({ a: "1", b: "2" });
      await expect(api.update({ ...made, data: {} })).rejects.toSatisfy(isConflict);
      const applied = await api.apply(configMap(name, { a: "3" }), {
        fieldManager: "t",
        force: true,
      });
      expect(applied.data).toEqual({ a: "3", b: "2" });
      const listed = await api.list({ fieldSelector: `metadata.name=${name}` });
      expect(listed.items).toEqual([
        expect.objectContaining({ apiVersion: "v1", kind: "ConfigMap" }),
      ]);
      await api.delete(name, { preconditions: { uid: made.metadata?.uid } });
      await expect(api.get(name)).rejects.toSatisfy(isNotFound);
    });

    test("pages, and joins them", async () => {
      const api = connect().resource(secrets).namespace("default");
      await Promise.all(
        Array.from({ length: 25 }, (_, i) =>
          api.create({ apiVersion: "v1", kind: "Secret", metadata: { name: `s-${i}` } }),
        ),
      );
      const page = await api.list({ limit: 10 });
      expect(page.items).toHaveLength(10);
      expect(page.metadata.continue).toBeTruthy();
      expect((await api.listAll({ limit: 10 })).items).toHaveLength(25);
      await api.deleteCollection();
      expect((await api.list()).items).toEqual([]);
    });

    test.each(["auto", "http/1.1"] as const)(
      "an answer may be read late, over %s",
      async (protocol) => {
        const { transport } = connect(protocol);
        const path = "/api/v1/namespaces/default";
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => transport({ method: "GET", path, headers: {} })),
        );
        // All frames have come by now: nobody read them.
        await transport({ method: "GET", path: "/healthz", headers: {} }).then((r) =>
          readBody(r.body),
        );
        await new Promise((resolve) => setTimeout(resolve, 50));
        for (const { status, body } of answers) {
          expect(status).toBe(200);
          expect(new TextDecoder().decode(await readBody(body))).toContain('"name":"default"');
        }
      },
    );

    test("the server's refusals come in its words", async () => {
      const client = connect();
      await expect(
        client
          .resource(configMaps)
          .namespace("default")
          .create({ metadata: { name: "A_B" } }),
      ).rejects.toThrow(/^ConfigMap "A_B" is invalid: metadata.name: Invalid value: "A_B"/);
      await expect(client.requestText({ method: "GET", path: "/nonsense" })).rejects.toSatisfy(
        isNotFound,
      );
      const anonymous = createClient({
        transport: createHttpTransport({ ...upstream.config, token: "wrong" }),
      });
      await expect(anonymous.resource(namespaces).list()).rejects.toSatisfy((error) =>
        isReason(error, "Unauthorized"),
      );
    });

    test("an informer follows, also over a restart of the server", async () => {
      const client = connect();
      const stop = new AbortController();
      const informer = createInformer({
        client,
        resource: configMaps,
        namespace: "default",
        labelSelector: "app=test",
      });
      const seen: string[] = [];
      let wake = () => {};
      const until = async (text: string) => {
        while (!seen.includes(text)) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      };
      const note = (text: string) => {
        seen.push(text);
        wake();
      };
      informer.onEvent({
        add: (object) => note(`+${object.metadata?.name}`),
        update: (_, object) => note(`~${object.metadata?.name}`),
        delete: (object) => note(`-${object.metadata?.name}`),
      });
      informer.start(stop.signal);
      await informer.waitForSync();
      const api = client.resource(configMaps).namespace("default");
      await api.create(configMap("one"));
      await until("+one");
      await upstream.restart();
      await api.create(configMap("two"));
      await api.delete("one");
      await until("+two");
      await until("-one");
      expect(informer.indexer.keys()).toEqual(["default/two"]);
      stop.abort();
    }, 90_000);

    test("150 watches at once need more than one HTTP/2 session, and all are served", async () => {
      const client = connect();
      const stop = new AbortController();
      const informers = Array.from({ length: 150 }, (_, i) =>
        createInformer({ client, resource: configMaps, namespace: `n${i}` }),
      );
      for (const informer of informers) informer.start(stop.signal);
      await Promise.all(informers.map((informer) => informer.waitForSync()));
      const api = client.resource(configMaps).namespace("default");
      await api.create(configMap("last"));
      expect((await api.get("last")).metadata?.name).toBe("last");
      stop.abort();
    });

    test("events are written and counted; a lease is taken and given back", async () => {
      const client = connect();
      const api = client.resource(configMaps).namespace("default");
      const about = await api.create(configMap("about"));
      const recorder = createEventRecorder({ client, component: "test" });
      recorder.event(about, "Normal", "Seen", "it is there");
      recorder.event(about, "Normal", "Seen", "it is there");
      await recorder.flush();
      const written = await client.resource(events).namespace("default").list({
        fieldSelector: "involvedObject.name=about",
      });
      expect(written.items.map(({ count, reason }) => ({ count, reason }))).toEqual([
        { count: 2, reason: "Seen" },
      ]);

      const stop = new AbortController();
      const log: string[] = [];
      await runLeaderElection({
        client,
        clock: systemClock,
        random: createSeededRandom(1),
        lease: { namespace: "default", name: "test" },
        identity: "me",
        releaseOnCancel: true,
        signal: stop.signal,
        onStarted: () => {
          log.push("leads");
          stop.abort();
        },
        onStopped: () => log.push("stopped"),
      });
      expect(log).toEqual(["leads", "stopped"]);
    });
  });
});
