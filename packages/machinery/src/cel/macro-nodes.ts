/** Nodes that macros make: all of them point at the macro's call. */
import type { MacroNodes } from "./macros.ts";
import type { Expr } from "./syntax-tree.ts";

type NewId = (offset: number) => number;

export function macroNodes(
  newId: NewId,
  offsets: ReadonlyMap<number, number>,
  call: number,
): MacroNodes {
  const id = () => newId(offsets.get(call) ?? 0);
  return {
    literal: (value) => ({ kind: "literal", id: id(), value }),
    ident: (name) => ({ kind: "ident", id: id(), name }),
    call: (name, ...args) => ({ kind: "call", id: id(), name, target: undefined, args }),
    member: (name, target, ...args) => ({ kind: "call", id: id(), name, target, args }),
    list: (...elements) => ({ kind: "list", id: id(), elements, optionals: new Set() }),
    map: (...entries) => ({ kind: "map", id: id(), entries }),
    presence: (operand, field) => ({ kind: "select", id: id(), operand, field, testOnly: true }),
    fold: (parts) => ({ kind: "fold", id: id(), ...parts }),
    copy: (expr) => copyOf(expr, newId, offsets),
  };
}

/** The same tree with ids of its own. */
function copyOf(expr: Expr, newId: NewId, offsets: ReadonlyMap<number, number>): Expr {
  const copied = (each: Expr) => copyOf(each, newId, offsets);
  const id = newId(offsets.get(expr.id) ?? 0);
  switch (expr.kind) {
    case "literal":
    case "ident":
      return { ...expr, id };
    case "select":
      return { ...expr, id, operand: copied(expr.operand) };
    case "call":
      return {
        ...expr,
        id,
        target: expr.target && copied(expr.target),
        args: expr.args.map(copied),
      };
    case "list":
      return { ...expr, id, elements: expr.elements.map(copied) };
    case "map": {
      const entries = expr.entries.map((entry) => ({
        ...entry,
        key: copied(entry.key),
        value: copied(entry.value),
      }));
      return { ...expr, id, entries };
    }
    case "struct": {
      const fields = expr.fields.map((field) => ({ ...field, value: copied(field.value) }));
      return { ...expr, id, fields };
    }
    case "fold":
      return {
        ...expr,
        id,
        range: copied(expr.range),
        init: copied(expr.init),
        condition: copied(expr.condition),
        step: copied(expr.step),
        result: copied(expr.result),
      };
  }
}
