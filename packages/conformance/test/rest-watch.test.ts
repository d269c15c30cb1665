/** Watching: where it begins, what it shows, how it ends; on ours and on upstream's. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

interface Event {
  type: string;
  object: {
    kind: string;
    code?: number;
    reason?: string;
    metadata: {
      name?: string;
      resourceVersion: string;
      annotations?: Record<string, string>;
      labels?: Record<string, string>;
    };
  };
}

const maps = "/api/v1/namespaces/default/configmaps";

for (const subject of apiServerSubjects()) {
  const reason = subject.skip;
  describe.skipIf(reason !== undefined)(`${subject.name}${reason ? `: ${reason}` : ""}`, () => {
    let server: ApiServerInstance;
    beforeAll(async () => {
      server = await subject.open();
    });
    afterAll(() => server?.close());

    const write = async (method: string, name: string, labels: Record<string, string> = {}) => {
      const path = method === "POST" ? maps : `${maps}/${name}`;
      const body = method === "DELETE" ? undefined : { metadata: { name, labels } };
      const answer = await server.send({ method, path, ...(body === undefined ? {} : { body }) });
      expect(answer.status, answer.text).toBeLessThan(300);
      return (JSON.parse(answer.text) as Event["object"]).metadata?.resourceVersion;
    };
    const watch = async (query: string, count: number): Promise<Event[]> => {
      const lines = await server.lines(`${maps}?watch=1&${query}`, count, 3_000);
      return lines.map((line) => JSON.parse(line) as Event);
    };
    const brief = (events: Event[]) =>
      events.map(({ type, object }) => `${type} ${object.metadata.name ?? object.reason}`);

    test("what happened since a version, in order", async () => {
      const since = await write("POST", "one");
      await write("PUT", "one", { a: "1" });
      await write("POST", "two");
      await write("DELETE", "one");
      const events = await watch(`resourceVersion=${since}`, 3);
      expect(brief(events)).toEqual(["MODIFIED one", "ADDED two", "DELETED one"]);
      const [modified, , deleted] = events;
      expect(Number(deleted!.object.metadata.resourceVersion)).toBeGreaterThan(
        Number(modified!.object.metadata.resourceVersion),
      );
    });

    test("a selection: what enters it is added, what leaves it is deleted", async () => {
      const since = await write("POST", "sel", { pick: "no" });
      await write("PUT", "sel", { pick: "yes" });
      await write("PUT", "sel", { pick: "yes", more: "1" });
      await write("PUT", "sel", { pick: "no" });
      const events = await watch(`resourceVersion=${since}&labelSelector=pick%3Dyes`, 3);
      expect(brief(events)).toEqual(["ADDED sel", "MODIFIED sel", "DELETED sel"]);
      expect(events[2]!.object.metadata.labels).toEqual({ pick: "yes", more: "1" });
    });

    test("from nowhere: what is here comes first", async () => {
      const events = await watch("fieldSelector=metadata.name%3Dsel", 1);
      expect(brief(events)).toEqual(["ADDED sel"]);
    });

    test("initial events end with a bookmark that says so", async () => {
      const query =
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
      const events = await watch(`${query}&fieldSelector=metadata.name%3Dsel`, 2);
      expect(events.map((event) => event.type)).toEqual(["ADDED", "BOOKMARK"]);
      expect(events[1]!.object.metadata.annotations).toEqual({
        "k8s.io/initial-events-end": "true",
      });
    });

    test("a table of one row, its headers once", async () => {
      const since = await write("POST", "tab");
      await write("PUT", "tab", { a: "1" });
      await write("PUT", "tab", { a: "2" });
      const answer = await server.lines(
        `${maps}?watch=1&resourceVersion=${since}&timeoutSeconds=1`,
        2,
        3_000,
      );
      expect(answer).toHaveLength(2);
    });

    test("it ends when its time is over", async () => {
      const begun = Date.now();
      await server.lines(`${maps}?watch=1&timeoutSeconds=1`, 1_000, 10_000);
      expect(Date.now() - begun).toBeLessThan(5_000);
    });

    test("a version from the future is refused", async () => {
      const path = `${maps}?resourceVersion=999999999&resourceVersionMatch=NotOlderThan`;
      const answer = await server.send({ method: "GET", path });
      const status = JSON.parse(answer.text) as { code: number; reason: string; message: string };
      expect(status.code).toBe(504);
      expect(status.reason).toBe("Timeout");
      expect(status.message).toContain("Too large resource version: 999999999, current: ");
    });

    test("after a restart, a version from before it is too old", async () => {
      const since = await write("POST", "old");
      await write("PUT", "old", { a: "1" });
      await write("PUT", "old", { a: "2" });
      await server.killServer();
      await server.startServer();
      const events = await watch(`resourceVersion=${since}`, 1);
      expect(events[0]).toMatchObject({ type: "ERROR", object: { code: 410, reason: "Expired" } });
    });
  });
}
