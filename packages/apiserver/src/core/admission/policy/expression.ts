/**
 * One expression of a policy or of a webhook, compiled or refused.
 *
 * Source  apiserver pkg/admission/plugin/cel/compile.go CompileCELExpression
 */
import {
  type CelType,
  compileExpression,
  type AdmissionVariables as Declared,
  admissionEnvironment as environmentFor,
  type Program,
  typeText,
} from "@nanokube/machinery/cel";

export interface Expression {
  text: string;
  program?: Program;
  error?: string;
}

/** Here, unlike in compile errors, null is called by its whole name. */
const nameOf = (type: CelType): string => (type.kind === "null" ? "null_type" : typeText(type));

export function compileFor(
  text: string,
  declared: Declared,
  returns: readonly CelType[] | "anything",
): Expression {
  const found = compileExpression(text, environmentFor(declared));
  if ("errors" in found) return { text, error: `compilation failed: ${found.errors}` };
  const type = "program" in found ? found.program.type : found.type;
  if (returns !== "anything") {
    const names = returns.map(nameOf);
    const got = nameOf(type);
    if (!names.includes(got)) {
      const wanted = names.length === 1 ? names[0] : `one of [${names.join(" ")}]`;
      return { text, error: `must evaluate to ${wanted} but got ${got}` };
    }
  }
  if ("failure" in found) return { text, error: `program instantiation failed: ${found.failure}` };
  return { text, program: found.program };
}

/** spec.variables in order: each may use those before it. */
export class Variables {
  readonly types = new Map<string, CelType>();
  readonly expressions = new Map<string, Expression>();

  add(name: string, text: string, declared: Declared, fallback: CelType): Expression {
    const before = new Map(this.types);
    const expression = compileFor(text, { ...declared, variables: before }, "anything");
    this.types.set(name, expression.program?.type ?? fallback);
    this.expressions.set(name, expression);
    return expression;
  }
}
