/**
 * What the audit log hears of a mutating webhook: whether it changed the object, and how.
 *
 * Source  apiserver pkg/admission/plugin/webhook/mutating/dispatcher.go (webhookAnnotator)
 */
import type { JSONPatchOperation } from "@nanokube/machinery";
import type { Annotate } from "../plugin.ts";

const domain = "webhook.admission.k8s.io";

export class MutationNotes {
  readonly #annotate: Annotate | undefined;
  readonly #place: string;
  readonly #configuration: string;
  readonly #webhook: string;

  /** `index` is that among the webhooks of all configurations. */
  constructor(options: {
    annotate: Annotate | undefined;
    isSecond: boolean;
    index: number;
    configuration: string;
    webhook: string;
  }) {
    this.#annotate = options.annotate;
    this.#place = `round_${options.isSecond ? 1 : 0}_index_${options.index}`;
    this.#configuration = options.configuration;
    this.#webhook = options.webhook;
  }

  mutated(mutated: boolean): void {
    const { configuration, webhook } = this.#names;
    const value = JSON.stringify({ configuration, webhook, mutated });
    this.#annotate?.(`mutation.${domain}/${this.#place}`, value);
  }

  patched(operations: readonly JSONPatchOperation[]): void {
    const patch = operations.map((operation) =>
      Object.fromEntries(Object.entries(operation).sort(([a], [b]) => (a < b ? -1 : 1))),
    );
    const value = JSON.stringify({ ...this.#names, patch, patchType: "JSONPatch" });
    this.#annotate?.(`patch.${domain}/${this.#place}`, value, "Request");
  }

  failedOpen(): void {
    this.#annotate?.(`failed-open.mutation.${domain}/${this.#place}`, this.#webhook);
  }

  get #names(): { configuration: string; webhook: string } {
    return { configuration: this.#configuration, webhook: this.#webhook };
  }
}
