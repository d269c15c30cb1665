/**
 * Requests that act as somebody else: the constrained modes are tried before the legacy one, and
 * what succeeded last for a caller is tried first.
 *
 * Errors  403 with the first mode's refusal when none allows it
 * Source  apiserver pkg/endpoints/filters/impersonation/constrained_impersonation.go
 */
import type { Clock, StatusError } from "@nanokube/machinery";
import type { AccessMetrics } from "../../access-metrics.ts";
import type { AuthorizationAttributes, Authorizer } from "../../authorization/authorizer.ts";
import { forbiddenError } from "../../authorization/create-authorizer.ts";
import type { SentHeaders } from "../authenticator.ts";
import { type ImpersonationMode, impersonationModes, legacyMode } from "./modes.ts";
import { LastWay } from "./remembered.ts";
import type { Ask, Impersonated } from "./wanted-questions.ts";
import { readWantedUser, type WantedUser } from "./wanted-user.ts";

export interface ImpersonatorOptions {
  authorizer: Authorizer;
  clock: Clock;
  access: AccessMetrics;
  /** The gate ConstrainedImpersonation. */
  isConstrained: boolean;
}

export class Impersonator {
  readonly #options: ImpersonatorOptions;
  readonly #modes: readonly ImpersonationMode[];
  readonly #lastWay = new LastWay();

  constructor(options: ImpersonatorOptions) {
    this.#options = options;
    const { isConstrained, clock } = options;
    const ask: Ask = (attributes) => this.#ask(attributes);
    this.#modes = isConstrained ? impersonationModes(ask, clock) : [legacyMode(ask, "uid-last")];
  }

  /** Undefined when nobody is impersonated; `attributes` are the request's, of its caller. */
  async impersonate(
    sent: SentHeaders,
    attributes: () => AuthorizationAttributes,
  ): Promise<Impersonated | undefined> {
    const { isConstrained, clock, access } = this.#options;
    const wanted = readWantedUser(sent, isConstrained);
    if (wanted === undefined) return undefined;
    const startedMs = clock.monotonic();
    const outcome = await this.#tryAll(wanted, attributes());
    const seconds = (clock.monotonic() - startedMs) / 1000;
    const isAllowed = "user" in outcome;
    const mode = isAllowed ? modeOf(outcome.constraint || "impersonate") : "";
    if (isConstrained) access.impersonated(mode, isAllowed, seconds);
    if (!isAllowed) throw outcome;
    return outcome;
  }

  async #tryAll(
    wanted: WantedUser,
    attributes: AuthorizationAttributes,
  ): Promise<Impersonated | StatusError> {
    const caller = attributes.user.name;
    const last = this.#lastWay.get(caller);
    const order = [...this.#modes.keys()].sort((a, b) => Number(b === last) - Number(a === last));
    let refusal: StatusError | undefined;
    for (const index of order) {
      const outcome = await this.#modes[index]!.check(wanted, attributes);
      if (outcome === undefined) continue;
      if ("user" in outcome) {
        this.#lastWay.set(caller, index);
        return outcome;
      }
      refusal ??= outcome;
    }
    // The legacy mode has something to say of everybody.
    return refusal!;
  }

  async #ask(attributes: AuthorizationAttributes): Promise<StatusError | undefined> {
    const { authorizer, clock, access, isConstrained } = this.#options;
    const startedMs = clock.monotonic();
    const { decision, reason } = await authorizer.authorize(attributes);
    const seconds = (clock.monotonic() - startedMs) / 1000;
    const isAllowed = decision === "allow";
    if (isConstrained) access.impersonationAsked(modeOf(attributes.verb), isAllowed, seconds);
    return isAllowed ? undefined : forbiddenError(attributes, reason);
  }
}

/** "impersonate:user-info" and "impersonate-on:user-info:get" are of the mode user-info. */
function modeOf(verb: string): string {
  return verb.split(":")[1] ?? "legacy";
}
