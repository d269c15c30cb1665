/**
 * kill -9 under writes loses nothing that was acknowledged, whichever process dies.
 *
 * The writes are client-go's, as many as the machine bears; the rate before the kill is shown, and
 * asserted where `npm run faults -- --rate 1000` asks for it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { killUnderWrites, victims } from "../src/faults/kill-under-writes.ts";
import { faultSettings, figure, openSubject } from "../src/faults/settings.ts";
import type { ApiServerInstance } from "../src/subjects/apiserver.ts";
import { missingReason } from "../src/upstream/cache.ts";

const settings = faultSettings();
const needed = { etcd: ["etcd", "writers"], "etcd-lite": ["writers"] };

describe.each(["etcd", "etcd-lite"] as const)("on %s", (store) => {
  const others = settings.subject === "apiserver" ? [] : [settings.subject];
  const reason = missingReason(...needed[store], ...others);
  let directory: string;
  let server: ApiServerInstance;
  beforeAll(async () => {
    if (reason !== undefined) return;
    directory = await mkdtemp(join(tmpdir(), "faults-"));
    server = await openSubject(settings, store, directory);
  });
  afterAll(async () => {
    await server?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  test.skipIf(reason).each(victims)("kill -9 of the %s", async (victim) => {
    const run = `w-${victims.indexOf(victim)}`;
    const outcome = await killUnderWrites(server, {
      victim,
      run,
      secondsBefore: settings.writeSeconds,
    });
    const what = `kill -9 of the ${victim}, on ${store}`;
    figure(`${what}: writes a second before it`, outcome.rate, "/s");
    figure(`${what}: acknowledged writes in all`, outcome.acknowledged, "");
    figure(`${what}: writes without an answer`, outcome.unanswered, "");
    figure(`${what}: until a write is acknowledged again`, outcome.downMs, "ms");
    expect(outcome.disagreements).toEqual([]);
    expect(outcome.rate).toBeGreaterThan(settings.rate);
  });
});
