/** One question to etcd for all who ask while the one before is on its way. */
export class SharedProbe {
  readonly #ask: () => Promise<number>;
  #queued: Promise<number> | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(ask: () => Promise<number>) {
    this.#ask = ask;
  }

  /** The answer to a question that is asked after this call. */
  answer(): Promise<number> {
    if (this.#queued !== undefined) return this.#queued;
    const before = this.#running;
    const probe = (async () => {
      await before;
      this.#queued = undefined;
      const asked = this.#ask();
      this.#running = asked.then(
        () => undefined,
        () => undefined,
      );
      return asked;
    })();
    this.#queued = probe;
    return probe;
  }
}
