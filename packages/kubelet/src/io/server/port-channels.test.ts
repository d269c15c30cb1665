/** What a client asks for, in upstream's words where it cannot be. */
import { expect, test } from "vitest";
import { chooseChannels, portsOf } from "./port-channels.ts";

test.each([
  [[], ""],
  [["v4.channel.k8s.io"], "v4.channel.k8s.io"],
  [["other", "v4.base64.channel.k8s.io"], "v4.base64.channel.k8s.io"],
  [["v4.base64.channel.k8s.io", "v4.channel.k8s.io"], "v4.channel.k8s.io"],
  [["v5.channel.k8s.io"], undefined],
])("of %j it speaks %j", (offered, spoken) => {
  expect(chooseChannels(offered)).toBe(spoken);
});

test.each([
  ["port=80", [80]],
  ["port=80&port=443", [80, 443]],
  ["port=80,443", [80, 443]],
])("%s", (query, ports) => {
  expect(portsOf(new URLSearchParams(query))).toEqual(ports);
});

test.each([
  ["", 'query parameter "port" is required'],
  ["port=", 'query parameter "port" cannot be empty'],
  ["port=x", 'unable to parse "x" as a port'],
  ["port=65536", 'unable to parse "65536" as a port'],
  ["port=0", 'port "0" must be > 0'],
])("%j is refused", (query, text) => {
  expect(() => portsOf(new URLSearchParams(query))).toThrow(text);
});
