/**
 * May the caller act as each part of the wanted user: name, uid, groups, extra?
 *
 * Errors  the first refusal, as a value: another mode may allow what this one does not
 * Source  apiserver pkg/endpoints/filters/impersonation/mode.go (impersonationModeState)
 */
import type { StatusError } from "@nanokube/machinery";
import { aggregateFieldErrors, quoteGo } from "@nanokube/machinery";
import { validateDomainPrefixedPath } from "../../../resources/domain-prefixed-path.ts";
import { field } from "../../../resources/field.ts";
import type { AuthorizationAttributes } from "../../authorization/authorizer.ts";
import { forbiddenError } from "../../authorization/create-authorizer.ts";
import type { UserInfo } from "../authenticator.ts";
import { serviceAccountGroups, splitServiceAccountName } from "../service-account.ts";
import { nodeOf, type WantedUser } from "./wanted-user.ts";

/** Undefined: allowed. */
export type Ask = (attributes: AuthorizationAttributes) => Promise<StatusError | undefined>;

export interface Impersonated {
  user: UserInfo;
  /** The verb that allowed it; empty in the legacy mode. */
  constraint: string;
}

interface Question {
  verb: string;
  wanted: WantedUser;
  user: UserInfo;
  /** As it was asked before there were constrained modes. */
  order?: "uid-last" | undefined;
}

const authentication = "authentication.k8s.io";
/** From so many questions on, one about all is asked first. */
const many = 4;

type Part = Partial<AuthorizationAttributes> & { resource: string };

export async function authorizeWanted(
  ask: Ask,
  question: Question,
): Promise<Impersonated | StatusError> {
  const { verb, wanted, user, order } = question;
  const isConstrained = verb !== "impersonate";
  const asker = new Asker(ask, { user, verb, isConstrained });
  const parts = [
    () => asker.uid(wanted.uid),
    () => asker.groups(wanted.groups),
    () => asker.extra(wanted.extra),
  ];
  if (order === "uid-last") parts.push(parts.shift()!);
  let refusal = await asker.name(wanted.name);
  for (const part of parts) refusal ??= await part();
  if (refusal !== undefined) return refusal;
  const { name, uid, extra } = wanted;
  const acting = {
    name,
    ...(uid === "" ? {} : { uid }),
    groups: groupsOf(wanted, isConstrained),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
  return { user: acting, constraint: isConstrained ? verb : "" };
}

/** Those that were asked for, else those everybody knows; and whether it is known who it is. */
function groupsOf({ name, groups }: WantedUser, isConstrained: boolean): string[] {
  const account = splitServiceAccountName(name);
  const isNode = isConstrained && nodeOf(name) !== undefined;
  const own = isNode ? ["system:nodes"] : [...groups];
  if (account !== undefined && groups.length === 0) {
    own.push(...serviceAccountGroups(account.namespace));
  }
  const [known, unknown] = ["system:authenticated", "system:unauthenticated"];
  const added = name === "system:anonymous" ? unknown : known;
  if (!own.includes(added) && !own.includes(unknown)) own.push(added);
  return own;
}

class Asker {
  readonly #ask: Ask;
  readonly #user: UserInfo;
  readonly #verb: string;
  readonly #isConstrained: boolean;

  constructor(ask: Ask, about: { user: UserInfo; verb: string; isConstrained: boolean }) {
    this.#ask = ask;
    this.#user = about.user;
    this.#verb = about.verb;
    this.#isConstrained = about.isConstrained;
  }

  name(userName: string): Promise<StatusError | undefined> {
    const apiGroup = this.#usersGroup;
    const account = splitServiceAccountName(userName);
    if (account !== undefined) {
      return this.#may({ resource: "serviceaccounts", apiGroup, ...account });
    }
    const node = this.#isConstrained ? nodeOf(userName) : undefined;
    if (node !== undefined) return this.#may({ resource: "nodes", apiGroup, name: node });
    return this.#may({ resource: "users", apiGroup, name: userName });
  }

  async uid(uid: string): Promise<StatusError | undefined> {
    if (uid === "") return undefined;
    return this.#may({ resource: "uids", apiGroup: authentication, name: uid });
  }

  async groups(groups: readonly string[]): Promise<StatusError | undefined> {
    const part = { resource: "groups", apiGroup: this.#usersGroup };
    if (this.#isConstrained) {
      const refuse = (name: string, why: string) =>
        forbiddenError(this.#attributes({ ...part, name }), why);
      if (groups.includes("")) {
        return refuse("", "impersonating the empty string group is not allowed");
      }
      const masters = "system:masters";
      if (groups.includes(masters)) {
        return refuse(masters, `impersonating the ${masters} group is not allowed`);
      }
      if (groups.length >= many && (await this.#may({ ...part, name: "*" })) === undefined) {
        return undefined;
      }
    }
    for (const name of groups) {
      const refusal = await this.#may({ ...part, name });
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  async extra(extra: WantedUser["extra"]): Promise<StatusError | undefined> {
    const part = { resource: "userextras", apiGroup: authentication };
    const pairs = Object.entries(extra);
    if (this.#isConstrained) {
      const why = extraProblem(extra);
      if (why !== undefined) return forbiddenError(this.#attributes(part), why);
      const all = { ...part, subresource: "*", name: "*" };
      const count = pairs.reduce((sum, [, values]) => sum + values.length, 0);
      if (count >= many && (await this.#may(all)) === undefined) return undefined;
    }
    for (const [subresource, values] of pairs) {
      for (const name of values) {
        const refusal = await this.#may({ ...part, subresource, name });
        if (refusal !== undefined) return refusal;
      }
    }
    return undefined;
  }

  get #usersGroup(): string {
    return this.#isConstrained ? authentication : "";
  }

  #may(part: Part): Promise<StatusError | undefined> {
    return this.#ask(this.#attributes(part));
  }

  #attributes(part: Part): AuthorizationAttributes {
    return {
      user: this.#user,
      verb: this.#verb,
      resourceRequest: true,
      namespace: "",
      apiGroup: "",
      apiVersion: "v1",
      subresource: "",
      name: "",
      path: "",
      ...part,
    };
  }
}

function extraProblem(extra: WantedUser["extra"]): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === "") return "impersonating the empty string key in extra is not allowed";
    const errors = validateDomainPrefixedPath(key, field("extra", "key"));
    if (errors.length > 0) {
      const why = aggregateFieldErrors(errors);
      return `impersonating an invalid key in extra is not allowed: ${why}`;
    }
    if (key !== key.toLowerCase()) {
      return `impersonating a non-lowercase key in extra is not allowed: ${quoteGo(key)}`;
    }
    if (values.length === 0) return "impersonating empty values in extra is not allowed";
    if (values.includes("")) {
      return "impersonating the empty string value in extra is not allowed";
    }
  }
  return undefined;
}
