/**
 * Plays all cases on a runtime's socket and prints what each saw, as one line of JSON.
 * Run by the tests inside the namespaces of the runtime: `node play.ts SOCKET DIR`.
 */
import { Bench } from "./bench.ts";
import type { Case } from "./case.ts";
import { cases } from "./cases.ts";

/** Cases wait more than they work; each has pods of its own. */
const AT_ONCE = 8;

export async function play(socket: string, dir: string): Promise<Record<string, unknown>> {
  const bench = new Bench(socket, dir);
  const seen: Record<string, unknown> = {};
  const playAll = async (waiting: Case[]): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      seen[next.name] = await next.play(bench).catch((error: Error) => ({ error: error.message }));
    }
  };
  await bench.start();
  try {
    const together = cases.filter(({ alone }) => !alone);
    await Promise.all(Array.from({ length: AT_ONCE }, () => playAll(together)));
    await playAll(cases.filter(({ alone }) => alone));
  } finally {
    await bench.stop();
  }
  return seen;
}

if (import.meta.main) {
  const alive = setInterval(() => {}, 2 ** 30);
  const seen = await play(process.argv[2]!, process.argv[3]!);
  process.stdout.write(JSON.stringify(seen));
  clearInterval(alive);
  process.exit(0);
}
