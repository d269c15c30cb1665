/** Ctrl-C, and what else asks a command to end. */

/** Aborts at the first; later ones change nothing: what is being taken down is taken down whole. */
export function untilInterrupted(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => stop.abort());
  }
  return stop.signal;
}
