/** Environments that end with the test that started them. */
import { afterEach } from "vitest";
import { TestEnvironment, type TestEnvironmentOptions } from "../src/index.ts";

const running: TestEnvironment[] = [];

export async function start(options?: TestEnvironmentOptions): Promise<TestEnvironment> {
  const env = await TestEnvironment.start(options);
  running.push(env);
  return env;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((env) => env.stop()));
});
