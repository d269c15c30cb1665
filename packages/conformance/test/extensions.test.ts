/** What users add to our API server behaves as with upstream's, whose answers are recorded. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordedAnswers, topics } from "../src/extensions/all.ts";
import { type HookServer, startHookServer } from "../src/extensions/hook-server.ts";
import { play } from "../src/extensions/scenario.ts";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

describe.each(Object.entries(topics))("extensions of the API server: %s", (topic, scenarios) => {
  const recorded = recordedAnswers(topic);
  let server: ApiServerInstance;
  let hook: HookServer;
  beforeAll(async () => {
    hook = await startHookServer();
    server = await apiServerSubjects()
      .find(({ name }) => name === "apiserver")!
      .open();
  }, 90_000);
  afterAll(() => {
    hook?.close();
    return server?.close();
  });

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "%s",
    async (name, scenario) => {
      expect(await play(server, scenario, hook.words)).toEqual(recorded[name]);
    },
    60_000,
  );
});
