/**
 * Runs a policy's expressions over one request, within a budget.
 *
 * Questions to the authorizer take time while expressions do not: an evaluation that meets an
 * unanswered one stops, and starts again when the answer is there.
 *
 * Source  apiserver pkg/admission/plugin/cel/{condition,activation,composition}.go
 */
import { type KubeObject, quoteGo } from "@nanokube/machinery";
import {
  type AuthorizationAnswer,
  type AuthorizationQuestion,
  type Authorize,
  authorizerOf,
  CelError,
  isCelError,
  LazyMap,
  plainValue,
  resourceCheckOf,
  type Scope,
  type Value,
} from "@nanokube/machinery/cel";
import type { Authorizer } from "../../authorization/authorizer.ts";
import { narrowedBy } from "../../authorization/selectors.ts";
import { narrowing } from "../../wire/authorization-attributes.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import { requestOf } from "../webhooks/review.ts";
import type { Expression } from "./expression.ts";

const perCallCostMax = 1_000_000;
export const policyBudget = 10_000_000;
export const matchConditionsBudget = 2_500_000;
const outOfBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** What ends all expressions of a policy, not only one. */
export class BudgetSpent extends Error {
  constructor() {
    super(outOfBudget);
  }
}

export interface Input {
  attributes: AdmissionAttributes;
  params: KubeObject | undefined;
  namespace: KubeObject | undefined;
  authorize: Authorize | undefined;
  variables?: ReadonlyMap<string, Expression>;
}

export type Evaluated = { value: Value } | { error: string };

function scopeOf(input: Input, spend: (cost: number) => void): Scope {
  const { attributes, params, namespace, authorize, variables } = input;
  const { resource, subresource, name } = attributes;
  const { uid: _, object: _o, oldObject: _old, ...request } = requestOf(attributes, "");
  const scope: Scope = (wanted) => values.get(wanted)?.();
  const once = (make: () => Value) => {
    let made: Value | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  const full = (object: KubeObject | undefined) => once(() => plainValue(object ?? null));
  const values = new Map<string, () => Value>([
    ["object", full(withKind(attributes, attributes.object))],
    ["oldObject", full(withKind(attributes, attributes.oldObject))],
    ["request", once(() => plainValue(request))],
    ["namespaceObject", full(shownNamespace(namespace))],
    ["params", full(params)],
  ]);
  if (authorize !== undefined) {
    const draft = {
      group: resource.group,
      resource: resource.plural,
      subresource,
      namespace: attributes.namespace,
      name,
    };
    values.set("authorizer", () => authorizerOf(authorize));
    values.set("authorizer.requestResource", () => resourceCheckOf(authorize, draft));
  }
  if (variables !== undefined) {
    const evaluated = (data: unknown): Value => {
      const [variable, { program, error }] = data as [string, Expression];
      const what = `composited variable ${quoteGo(variable)} fails to`;
      if (program === undefined) return new CelError(`${what} compile: ${error}`);
      const { value, cost } = program.evaluate(scope, perCallCostMax);
      spend(cost);
      return isCelError(value) ? new CelError(`${what} evaluate: ${value.message}`) : value;
    };
    const entries = [...variables].map((entry) => [entry[0], entry] as const);
    values.set(
      "variables",
      once(() => new LazyMap(entries, evaluated)),
    );
  }
  return scope;
}

function withKind({ resource }: AdmissionAttributes, object: KubeObject | undefined) {
  if (object === undefined || (object.kind && object.apiVersion)) return object;
  const { group, version, kind } = resource;
  return { apiVersion: group === "" ? version : `${group}/${version}`, kind, ...object };
}

/** Without who manages which field. */
function shownNamespace(namespace: KubeObject | undefined): KubeObject | undefined {
  if (namespace === undefined) return undefined;
  const { metadata, spec, status } = namespace as KubeObject & Record<string, unknown>;
  const { managedFields: _, ownerReferences: _o, selfLink: _s, ...meta } = metadata ?? {};
  return { metadata: meta, spec: spec ?? {}, status: status ?? {} } as KubeObject;
}

/** Several expressions one after the other share a budget. */
export class Evaluation {
  readonly #scope: Scope;
  #lazyCost = 0;
  #budget: number;

  constructor(input: Input, budget: number) {
    this.#budget = budget;
    this.#scope = scopeOf(input, (cost) => {
      this.#lazyCost += cost;
    });
  }

  get budget(): number {
    return this.#budget;
  }

  /** @throws BudgetSpent */
  run({ text, program, error }: Expression): Evaluated {
    if (program === undefined) return { error: `compilation error: ${error}` };
    const { value, cost } = program.evaluate(this.#scope, perCallCostMax);
    const whole = cost + this.#lazyCost;
    this.#lazyCost = 0;
    if (whole > this.#budget) throw new BudgetSpent();
    this.#budget -= whole;
    if (isCelError(value)) {
      return { error: `expression '${text}' resulted in error: ${value.message}` };
    }
    return { value };
  }
}

class Pending extends Error {
  readonly question: AuthorizationQuestion;
  constructor(question: AuthorizationQuestion) {
    super("waiting for the authorizer");
    this.question = question;
  }
}

/** One request's questions are asked once each. */
export class Questions {
  readonly #answers = new Map<string, AuthorizationAnswer>();
  readonly #authorizer: Authorizer;
  readonly #attributes: AdmissionAttributes;

  constructor(authorizer: Authorizer, attributes: AdmissionAttributes) {
    this.#authorizer = authorizer;
    this.#attributes = attributes;
  }

  async settle<T>(evaluate: (authorize: Authorize) => T): Promise<T> {
    const authorize: Authorize = (question) => {
      const known = this.#answers.get(JSON.stringify(question));
      if (known === undefined) throw new Pending(question);
      return known;
    };
    for (;;) {
      try {
        return evaluate(authorize);
      } catch (error) {
        if (!(error instanceof Pending)) throw error;
        this.#answers.set(JSON.stringify(error.question), await this.#ask(error.question));
      }
    }
  }

  async #ask(question: AuthorizationQuestion): Promise<AuthorizationAnswer> {
    const { serviceAccount, path, verb } = question;
    const account = serviceAccount && `${serviceAccount.namespace}:${serviceAccount.name}`;
    const user =
      serviceAccount === undefined
        ? this.#attributes.user
        : {
            name: `system:serviceaccount:${account}`,
            groups: [
              "system:serviceaccounts",
              `system:serviceaccounts:${serviceAccount.namespace}`,
              "system:authenticated",
            ],
          };
    try {
      const { decision, reason } = await this.#authorizer.authorize({
        user: user as AdmissionAttributes["user"],
        verb,
        resourceRequest: path === undefined,
        namespace: question.namespace ?? "",
        apiGroup: question.group ?? "",
        apiVersion: "*",
        resource: question.resource ?? "",
        subresource: question.subresource ?? "",
        name: question.name ?? "",
        path: path ?? "",
        ...narrowing(narrowedBy(question.fieldSelector ?? "", question.labelSelector ?? "")),
      });
      return { allowed: decision === "allow", reason };
    } catch (error) {
      return { allowed: false, reason: "", error: (error as Error).message };
    }
  }
}
