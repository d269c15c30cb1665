import { expect, test } from "vitest";
import { JsonSplitter } from "./split-json.ts";

const texts: readonly (readonly [text: string, values: readonly string[]])[] = [
  ['{"a":1}{"b":2}', ['{"a":1}', '{"b":2}']],
  [' {"a":"}"} \n[1,[2]] ', ['{"a":"}"}', "[1,[2]]"]],
  ['{"a":"\\"}"}', ['{"a":"\\"}"}']],
  ['{"a":"\\\\"}{}', ['{"a":"\\\\"}', "{}"]],
  ["nonsense 5", ["nonsense", "5"]],
  ['{"a":', ['{"a":']],
  ["}{}", ["}", "{}"]],
  ["", []],
];

test.each(texts)("%j, however it is cut", (text, values) => {
  for (let size = 1; size <= text.length; size++) {
    const splitter = new JsonSplitter();
    const found: string[] = [];
    for (let at = 0; at < text.length; at += size)
      found.push(...splitter.push(text.slice(at, at + size)));
    expect([...found, ...splitter.end()]).toEqual(values);
  }
});
