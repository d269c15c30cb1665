/** Limits of events, on a clock that is moved by hand; images that another server judges. */
import { createFakeClock, type KubeObject } from "@nanokube/machinery";
import { expect, test } from "vitest";
import type { ObjectReader } from "../object-reader.ts";
import { createEventRateLimit, eventRateLimitProblems } from "./event-rate-limit.ts";
import { createImagePolicyWebhook } from "./image-policy-webhook.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";

const reader = {} as ObjectReader;

const writing = (kind: string, object: KubeObject, namespace = "default", user = "jane") =>
  ({
    operation: "CREATE",
    resource: { group: "", plural: `${kind.toLowerCase()}s`, kind },
    subresource: "",
    namespace,
    name: "e",
    user: { name: user, groups: [] },
    dryRun: false,
    object,
  }) as unknown as AdmissionAttributes;

const event = (namespace = "default", user = "jane") => writing("Event", {}, namespace, user);

async function outcome(plugin: AdmissionPlugin, attributes: AdmissionAttributes): Promise<string> {
  try {
    await plugin.validate!(attributes, reader);
    return "taken";
  } catch (error) {
    return (error as Error).message;
  }
}

test("a bucket for each namespace and one for all; refusals name each", async () => {
  const clock = createFakeClock();
  const limits = [
    { type: "Server", qps: 1, burst: 3 },
    { type: "Namespace", qps: 1, burst: 2 },
  ];
  const plugin = createEventRateLimit({ limits }, clock);
  const write = (attributes: AdmissionAttributes) => outcome(plugin, attributes);
  expect(plugin.handles(writing("Pod", {}))).toBe(false);
  expect([await write(event()), await write(event())]).toEqual(["taken", "taken"]);
  expect(await write(event())).toBe("limit reached on type Namespace for key default");
  expect(await write(event("other"))).toBe("limit reached on type Server for key ");
  expect(await write(event())).toBe(
    "[limit reached on type Server for key , limit reached on type Namespace for key default]",
  );
  await clock.step(1000);
  expect(await write(event())).toBe("taken");
});

test("what is wrong with limits", () => {
  expect(eventRateLimitProblems(undefined)).toEqual([
    "limits: Invalid value: null: must not be empty",
  ]);
  expect(eventRateLimitProblems({ limits: [{ type: "User", qps: 0, burst: 1 }] })).toEqual([
    "limits[0].qps: Invalid value: 0: must be positive",
  ]);
});

test("images are judged once while the answer is fresh", async () => {
  const clock = createFakeClock();
  const asked: unknown[] = [];
  const review = async ({ spec }: KubeObject): Promise<KubeObject> => {
    asked.push(spec);
    const [{ image }] = (spec as { containers: [{ image: string }] }).containers;
    if (image === "down") throw new Error("nobody answers");
    return { status: { allowed: image === "good", reason: "not good" } };
  };
  const policy = { review, allowTTLMs: 1000, denyTTLMs: 0, defaultAllow: false };
  const plugin = createImagePolicyWebhook(policy, clock);
  const use = (image: string) =>
    outcome(plugin, writing("Pod", { spec: { containers: [{ name: "c", image }] } }));
  expect([await use("good"), await use("good")]).toEqual(["taken", "taken"]);
  expect(asked).toEqual([{ containers: [{ image: "good" }], namespace: "default" }]);
  await clock.step(1000);
  await use("good");
  expect(asked.length).toBe(2);
  expect(await use("bad")).toBe(
    'pods "e" is forbidden: image policy webhook backend denied one or more images: not good',
  );
  expect(await use("down")).toBe('pods "e" is forbidden: nobody answers');
});
