/**
 * Plays all cases on a runtime's socket and prints what each saw, as one line of JSON.
 * Run by the tests inside the namespaces of the runtime: `node play.ts SOCKET DIR`.
 */
import { Bench } from "./bench.ts";
import { cases } from "./cases.ts";

export async function play(socket: string, dir: string): Promise<Record<string, unknown>> {
  const bench = new Bench(socket, dir);
  const seen: Record<string, unknown> = {};
  await bench.start();
  try {
    for (const { name, play } of cases) {
      seen[name] = await play(bench).catch((error: Error) => ({ error: error.message }));
    }
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
