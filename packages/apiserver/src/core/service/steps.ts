/** What is left to do once a write has succeeded, or failed. */
export type Steps = (() => void | Promise<void>)[];

export async function runAll(steps: Steps): Promise<void> {
  for (const step of steps) await step();
}
