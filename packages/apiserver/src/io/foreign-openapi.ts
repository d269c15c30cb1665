/**
 * OpenAPI of the servers behind this one: which documents of v3 they have, and their v2.
 *
 * Each is asked when it is found to be well, and again with every check: an unchanged document is
 * not sent again.
 *
 * Source  kube-aggregator pkg/controllers/openapi{,v3}/aggregator/aggregator.go
 */
import type { ForeignDocument } from "../core/aggregation/merge-openapi.ts";
import type { RemoteService } from "../core/aggregation/remote-service.ts";
import type { WholeAnswer } from "./whole-answer.ts";

export type AskRemote = (
  remote: RemoteService,
  path: string,
  headers: Record<string, string>,
) => Promise<WholeAnswer>;

type Links = Record<string, { serverRelativeURL: string }>;

interface Known {
  remote: RemoteService;
  v3: Links;
  v2: ForeignDocument | undefined;
  etag: string;
}

export class ForeignOpenAPI {
  readonly #ask: AskRemote;
  readonly #known = new Map<string, Known>();

  constructor(ask: AskRemote) {
    this.#ask = ask;
  }

  async look(remote: RemoteService): Promise<void> {
    const { group, version, name } = remote;
    const before = this.#known.get(name);
    const known: Known = before ?? { remote, v3: {}, v2: undefined, etag: "" };
    known.remote = remote;
    const json = { accept: "application/json" };
    const index = await this.#ask(remote, "/openapi/v3", json);
    if (index.status === 200) {
      known.v3 = (JSON.parse(index.text) as { paths?: Links }).paths ?? {};
    }
    const unchanged: Record<string, string> =
      known.etag === "" ? {} : { "if-none-match": known.etag };
    const whole = await this.#ask(remote, "/openapi/v2", { ...json, ...unchanged });
    if (whole.status === 200) {
      const document = JSON.parse(whole.text) as ForeignDocument["document"];
      known.v2 = { prefix: `/apis/${group}/${version}/`, document };
      known.etag = whole.headers.etag ?? "";
    }
    this.#known.set(name, known);
  }

  /** Servers that are there no more. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
  }

  links(): Links {
    return Object.assign({}, ...[...this.#known.values()].map(({ v3 }) => v3)) as Links;
  }

  /** Who has a document of v3: "apis/wardle.example.com/v1alpha1". */
  owner(name: string): RemoteService | undefined {
    for (const { remote, v3 } of this.#known.values()) if (name in v3) return remote;
    return undefined;
  }

  v2(): ForeignDocument[] {
    return [...this.#known.values()].flatMap(({ v2 }) => (v2 === undefined ? [] : [v2]));
  }
}
