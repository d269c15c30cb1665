/**
 * From text to something that can be evaluated: parse, check, look at literals, plan.
 *
 * Errors  CompileErrors before anything runs; CelError as the outcome of a run; CostExceeded
 * Source  cel-go cel/{env,program,validator}.go
 */
import { type CheckedTree, Checker } from "./checker.ts";
import type { CompileErrors } from "./compile-error.ts";
import { CostEstimator, type SizeEstimator } from "./cost-estimate.ts";
import type { Range } from "./cost-range.ts";
import { CostExceeded, CostTracker } from "./cost-tracker.ts";
import { type Environment, typeNamed } from "./environment.ts";
import { validateLiterals } from "./literals.ts";
import { parseExpression } from "./parser.ts";
import { Planner } from "./plan.ts";
import { type Node, PlanError, type Scope } from "./plan-nodes.ts";
import { childrenOf, type Expr } from "./syntax-tree.ts";
import { type CelType, dynType } from "./types.ts";
import { CelError, type Value } from "./values.ts";

export interface Outcome {
  value: Value;
  /** What it cost; also when it failed. */
  cost: number;
  exceeded: boolean;
}

export class Program {
  readonly tree: CheckedTree;
  readonly type: CelType;
  readonly #root: Node;

  constructor(tree: CheckedTree, root: Node) {
    this.tree = tree;
    this.type = tree.types.get(tree.root.id) ?? dynType;
    this.#root = root;
  }

  /** A failure is a CelError as the value. */
  evaluate(scope: Scope, costLimit: number): Outcome {
    const tracker = new CostTracker(costLimit);
    try {
      const value = this.#root.run(scope, tracker);
      return { value, cost: tracker.cost, exceeded: false };
    } catch (error) {
      if (!(error instanceof CostExceeded)) throw error;
      return { value: new CelError(error.message), cost: tracker.cost, exceeded: true };
    }
  }

  estimateCost(sizeAt: SizeEstimator): Range {
    return new CostEstimator(this.tree, sizeAt).cost(this.tree.root);
  }

  /** Whether a field of a variable is selected anywhere, also as `variable.?field`. */
  selects(variable: string, field: string): boolean {
    return selectsField(this.tree.root, variable, field);
  }

  /** Whether a variable is named anywhere. */
  uses(variable: string): boolean {
    return names(this.tree.root).has(variable);
  }
}

function selectsField(expr: Expr, variable: string, field: string): boolean {
  const isVariable = (one: Expr | undefined) => one?.kind === "ident" && one.name === variable;
  if (expr.kind === "select" && expr.field === field && isVariable(expr.operand)) return true;
  if (expr.kind === "call" && expr.name === "_?._" && isVariable(expr.args[0])) {
    const named = expr.args[1];
    if (named?.kind === "literal" && named.value === field) return true;
  }
  return childrenOf(expr).some((child) => selectsField(child, variable, field));
}

function names(root: Expr): Set<string> {
  const found = new Set<string>();
  const visit = (expr: Expr | undefined): void => {
    if (expr === undefined) return;
    if (expr.kind === "ident") found.add(expr.name);
    for (const child of childrenOf(expr)) visit(child);
  };
  visit(root);
  return found;
}

export type Compiled =
  | { program: Program }
  /** The text is wrong. */
  | { errors: CompileErrors }
  /** The text is right, but a constant in it is not. */
  | { failure: string; type: CelType };

export function compileExpression(text: string, environment: Environment): Compiled {
  const parsed = parseExpression(text);
  if ("errors" in parsed) return parsed;
  const checker = new Checker(parsed.tree, environment);
  const tree = checker.check();
  if (checker.errors.count === 0) validateLiterals(tree, checker.errors);
  if (checker.errors.count > 0) return { errors: checker.errors };
  try {
    const planner = new Planner(tree, (name) => typeNamed(environment, name));
    return { program: new Program(tree, planner.plan(tree.root)) };
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return { failure: error.message, type: tree.types.get(tree.root.id) ?? dynType };
  }
}
