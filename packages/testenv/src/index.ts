/**
 * A Kubernetes API server, and the controllers you pick, inside your test process.
 *
 * @packageDocumentation
 */
export { createFakeClock, type FakeClock } from "@nanokube/machinery";
export type { FaultRule } from "./core/faults.ts";
export type { NodeSpec } from "./core/node-object.ts";
export type { ObjectSource } from "./io/objects.ts";
export type { PodScript } from "./io/scripted-nodes.ts";
export type { SteppedClock } from "./io/stepped-clock.ts";
export type { Snapshot } from "./io/store-snapshot.ts";
export { TestEnvironment, type TestEnvironmentOptions } from "./io/test-environment.ts";
export type { Fault } from "./io/traffic.ts";
