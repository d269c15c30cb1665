/** A server of what is GA, and one that serves the beta versions, too: opened when first asked. */
import type { CorpusGroup } from "./corpus-case.ts";
import type { Send } from "./run.ts";

interface Server {
  send: Send;
  close(): Promise<void>;
}

export class BothServers {
  readonly #open: (beta: boolean) => Promise<Server>;
  readonly #opened = new Map<boolean, Promise<Server>>();

  constructor(open: (beta: boolean) => Promise<Server>) {
    this.#open = open;
  }

  async sendOf(group: CorpusGroup): Promise<Send> {
    const beta = group.beta ?? false;
    if (!this.#opened.has(beta)) this.#opened.set(beta, this.#open(beta));
    return (await this.#opened.get(beta)!).send;
  }

  async close(): Promise<void> {
    for (const opened of this.#opened.values()) await (await opened).close();
  }
}
