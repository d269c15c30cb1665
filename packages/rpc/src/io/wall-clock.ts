/** The real clock. Its timers do not keep a process alive: the sockets of a call do. */
import type { RpcClock } from "../core/clock.ts";

const timerMaxMs = 2 ** 31 - 1;

export const wallClock: RpcClock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, Math.min(ms, timerMaxMs)).unref(),
  clearTimeout: (handle) => clearTimeout(handle as unknown as NodeJS.Timeout),
};
