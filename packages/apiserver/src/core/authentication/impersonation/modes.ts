/**
 * Ways of being allowed to act as somebody else.
 *
 * In a constrained mode two things are asked: may the caller do this request while acting so
 * ("impersonate-on:<mode>:<verb>"), and may they act as this user ("impersonate:<mode>")? The
 * legacy mode asks "impersonate" of each part of the user, and then everything is open.
 *
 * Shapes  an outcome is undefined where a mode has nothing to do with the wanted user
 * Source  apiserver pkg/endpoints/filters/impersonation/mode.go
 */
import type { Clock, StatusError } from "@nanokube/machinery";
import type { AuthorizationAttributes } from "../../authorization/authorizer.ts";
import type { UserInfo } from "../authenticator.ts";
import { Remembered } from "./remembered.ts";
import { type Ask, authorizeWanted, type Impersonated } from "./wanted-questions.ts";
import { isNameOnly, isServiceAccount, nodeOf, type WantedUser } from "./wanted-user.ts";

export interface ImpersonationMode {
  check(wanted: WantedUser, attributes: AuthorizationAttributes): Promise<Outcome>;
}

export type Outcome = Impersonated | StatusError | undefined;

type Applies = (wanted: WantedUser, caller: UserInfo) => boolean;

/** In the order in which they are tried. */
export function impersonationModes(ask: Ask, clock: Clock): ImpersonationMode[] {
  return [
    new AssociatedNodeMode(ask, clock),
    new ConstrainedMode("arbitrary-node", { ask, clock, applies: isPlainNode }),
    new ConstrainedMode("serviceaccount", { ask, clock, applies: isPlainServiceAccount }),
    new ConstrainedMode("user-info", { ask, clock, applies: isNeither }),
    legacyMode(ask),
  ];
}

const isPlainNode: Applies = (wanted) => isNameOnly(wanted) && nodeOf(wanted.name) !== undefined;
const isPlainServiceAccount: Applies = (wanted) =>
  isNameOnly(wanted) && isServiceAccount(wanted.name);
const isNeither: Applies = ({ name }) => nodeOf(name) === undefined && !isServiceAccount(name);

export function legacyMode(ask: Ask, order?: "uid-last"): ImpersonationMode {
  return {
    check: (wanted, { user }) => authorizeWanted(ask, { verb: "impersonate", wanted, user, order }),
  };
}

interface ConstrainedOptions {
  ask: Ask;
  clock: Clock;
  applies: Applies;
}

class ConstrainedMode implements ImpersonationMode {
  readonly #name: string;
  readonly #options: ConstrainedOptions;
  /** By caller, user and request: nothing is asked again. */
  readonly #requests: Remembered<Impersonated>;
  /** By caller and user: only the request is asked about. */
  readonly #users: Remembered<Impersonated>;

  constructor(name: string, options: ConstrainedOptions) {
    this.#name = name;
    this.#options = options;
    this.#requests = new Remembered(options.clock);
    this.#users = new Remembered(options.clock);
  }

  check(wanted: WantedUser, attributes: AuthorizationAttributes): Promise<Outcome> {
    return this.checkAs(wanted, attributes, { wanted, attributes });
  }

  /** `key`: for whom and what the answer holds. */
  async checkAs(
    wanted: WantedUser,
    attributes: AuthorizationAttributes,
    key: { wanted: object; attributes: AuthorizationAttributes },
  ): Promise<Outcome> {
    const { user, verb } = attributes;
    const { ask, applies } = this.#options;
    if (!applies(wanted, user)) return undefined;
    const requestKey = JSON.stringify([key.wanted, key.attributes]);
    const known = this.#requests.get(requestKey);
    if (known !== undefined) return known;
    const onVerb = `impersonate-on:${this.#name}:${verb}`;
    const refusal = await ask({ ...attributes, verb: onVerb });
    if (refusal !== undefined) return refusal;
    const userKey = JSON.stringify([key.wanted, key.attributes.user]);
    const isVerb = `impersonate:${this.#name}`;
    const outcome =
      this.#users.get(userKey) ?? (await authorizeWanted(ask, { verb: isVerb, wanted, user }));
    if (!("user" in outcome)) return outcome;
    this.#users.set(userKey, outcome);
    this.#requests.set(requestKey, outcome);
    return outcome;
  }
}

const nodeNameKey = "authentication.kubernetes.io/node-name";
const anyNode = { name: "system:node:*" };

/**
 * A service account acts as the node its pod runs on. Which node is no part of what is asked and
 * remembered, so that an agent on every node is found allowed once.
 */
class AssociatedNodeMode implements ImpersonationMode {
  readonly #mode: ConstrainedMode;

  constructor(ask: Ask, clock: Clock) {
    this.#mode = new ConstrainedMode("associated-node", {
      ask: (attributes) => ask(onAnyNode(attributes)),
      clock,
      applies: (wanted, caller) => isNameOnly(wanted) && isOnNode(caller, wanted.name),
    });
  }

  async check(wanted: WantedUser, attributes: AuthorizationAttributes): Promise<Outcome> {
    const key = { wanted: anyNode, attributes: onAnyNode(attributes) };
    const outcome = await this.#mode.checkAs(wanted, attributes, key);
    if (outcome === undefined || !("user" in outcome)) return outcome;
    // What is remembered may have been another node's.
    return { ...outcome, user: { ...outcome.user, name: wanted.name } };
  }
}

function isOnNode(caller: UserInfo, wantedName: string): boolean {
  const node = nodeOf(wantedName);
  const names = caller.extra?.[nodeNameKey] ?? [];
  return (
    node !== undefined && isServiceAccount(caller.name) && names.length === 1 && names[0] === node
  );
}

function onAnyNode(attributes: AuthorizationAttributes): AuthorizationAttributes {
  const keys = Object.keys(attributes.user.extra ?? {}).sort();
  const extra = { "authentication.kubernetes.io/associated-node-keys": keys };
  const user = { ...attributes.user, extra };
  const isWhole = attributes.verb === "impersonate:associated-node";
  return { ...attributes, user, ...(isWhole ? { name: "*" } : {}) };
}
