/** Selectors: parsed, printed and matched as upstream does. */
import { describe, expect, test } from "vitest";
import { checkFields, parseFieldSelector } from "./fields.ts";
import { labelSelectorToSelector, parseLabelSelector } from "./labels.ts";
import { SelectorError } from "./requirement.ts";

describe("label selectors", () => {
  test.for([
    ["", ""],
    ["app", "app"],
    ["!app", "!app"],
    ["b=1,a!=2", "a!=2,b=1"],
    ["a==1", "a==1"],
    ["a in (y,x, y)", "a in (x,y)"],
    ["a notin (x,)", "a notin (,x)"],
    ["a in ()", "a in ()"],
    ["a>5,b<7", "a>5,b<7"],
    ["in in (in,notin)", "in in (in,notin)"],
    ["a=", "a="],
  ])("%s prints %s", ([text, printed]) => {
    expect(parseLabelSelector(text!).toString()).toBe(printed);
  });

  test.for([
    ["a=x", { a: "x" }, true],
    ["a=x", {}, false],
    ["a!=x", {}, true],
    ["a notin (x)", { a: "x" }, false],
    ["a,!b", { a: "" }, true],
    ["a>5", { a: "6" }, true],
    ["a>5", { a: "six" }, false],
    ["toString", {}, false],
  ] as [string, Record<string, string>, boolean][])("%s on %j: %s", ([text, labels, matches]) => {
    expect(parseLabelSelector(text).matches(labels)).toBe(matches);
  });

  test.for([
    ["a,,b", "found ',', expected: identifier after ','"],
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["a in x", "unable to parse requirement: found 'x' expected: '('"],
    [
      "a>x",
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    [
      "-a",
      "unable to parse requirement: <nil>: Invalid value: \"-a\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
  ])("%s is refused", ([text, message]) => {
    expect(() => parseLabelSelector(text!)).toThrow(new SelectorError(message!));
  });

  test("an absent LabelSelector selects nothing, an empty one everything", () => {
    expect(labelSelectorToSelector(undefined).matches({ a: "x" })).toBe(false);
    expect(labelSelectorToSelector({}).matches({ a: "x" })).toBe(true);
    const selector = labelSelectorToSelector({
      matchLabels: { app: "web" },
      matchExpressions: [{ key: "tier", operator: "NotIn", values: ["db"] }],
    });
    expect(selector.toString()).toBe("app=web,tier notin (db)");
    expect(selector.matches({ app: "web" })).toBe(true);
    expect(selector.requiresExactMatch("app")).toBe("web");
    expect(() =>
      labelSelectorToSelector({ matchExpressions: [{ key: "a", operator: "Gt" }] }),
    ).toThrow('"Gt" is not a valid label selector operator');
  });
});

describe("field selectors", () => {
  test("compare, print, escape", () => {
    const selector = parseFieldSelector("status.phase!=Running,metadata.name==a\\,b");
    expect(selector.toString()).toBe("metadata.name=a\\,b,status.phase!=Running");
    expect(selector.matches({ "metadata.name": "a,b", "status.phase": "Pending" })).toBe(true);
    expect(selector.matches({ "metadata.name": "a,b", "status.phase": "Running" })).toBe(false);
    expect(selector.requiresExactMatch("metadata.name")).toBe("a,b");
  });

  test.for([
    ["a", "invalid selector: 'a'; can't understand 'a'"],
    ["a=b=c", "invalid field selector: unescaped character in value: 61"],
    ["a=\\x", "invalid field selector: invalid escape sequence: \\x"],
  ])("%s is refused", ([text, message]) => {
    expect(() => parseFieldSelector(text!)).toThrow(new SelectorError(message!));
  });

  test("fields a kind does not have are refused by name", () => {
    const selector = parseFieldSelector("spec.foo=x");
    expect(() => checkFields(selector, new Set(["metadata.name"]))).toThrow(
      "field label not supported: spec.foo",
    );
  });
});
