/** Keys that come twice, in each form that a body may have. */
import { apply, jsonPatch, maps, merge, type RestCase, send, strategic } from "./words.ts";

const gadgets = "/apis/example.com/v1/namespaces/t/gadgets";
const yaml = { "content-type": "application/yaml" };
const strict = "fieldValidation=Strict";

const gadget = (name: string, spec: string): string =>
  `{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"${name}"},"spec":${spec}}`;
const gadgetText = (name: string): string =>
  `apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: ${name}}\nspec:\n` +
  "  name: abc\n  foo: 1\n  name: abd\n";
const mapText = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rk}\ndata:\n  a: b\n  a: c\n";

export const repeatedKeyCases: readonly RestCase[] = [
  send(
    "twice, strict",
    "POST",
    `${gadgets}?${strict}`,
    gadget("rk", '{"name":"abc","name":"abd"}'),
  ),
  send("twice, warned", "POST", gadgets, gadget("rk", '{"foo":1,"name":"abc","name":"abd"}')),
  send("twice in YAML, strict", "POST", `${gadgets}?${strict}`, gadgetText("rl"), yaml),
  send(
    "twice in what is applied, strict",
    "PATCH",
    `${gadgets}/rm?fieldManager=m&${strict}`,
    gadgetText("rm").replace("  foo: 1\n", ""),
    apply,
  ),
  send(
    "twice in what is applied, warned",
    "PATCH",
    `${gadgets}/rm?fieldManager=m`,
    gadgetText("rm").replace("  foo: 1\n", ""),
    apply,
  ),
  send("twice in a ConfigMap of YAML, strict", "POST", `${maps}?${strict}`, mapText, yaml),
  send("twice in a patch", "PATCH", `${maps}/a?dryRun=All`, '{"data":{"b":"1","b":"2"}}', merge),
  send(
    "twice in a strategic patch, strict",
    "PATCH",
    `${maps}/a?${strict}`,
    '{"foo":1,"data":{"b":"1","b":"2"}}',
    strategic,
  ),
  send(
    "twice in a JSON patch",
    "PATCH",
    `${maps}/a?dryRun=All`,
    '[{"op":"add","path":"/data/c","path":"/data/d","value":"1"}]',
    jsonPatch,
  ),
];
