/** All functions by name. */
import { arithmetic } from "./arithmetic.ts";
import { authorization } from "./authorizer.ts";
import { calendar } from "./calendar.ts";
import { conversions } from "./conversions.ts";
import { formatting } from "./format-string.ts";
import type { Implementation } from "./function.ts";
import { lists } from "./lists.ts";
import { namedFormats } from "./named-formats.ts";
import { network } from "./network.ts";
import { quantities } from "./quantities.ts";
import { regexes } from "./regex.ts";
import { strings } from "./strings.ts";
import { urls } from "./urls.ts";

const implementations = new Map<string, Implementation>(
  [
    arithmetic,
    authorization,
    calendar,
    conversions,
    formatting,
    lists,
    namedFormats,
    network,
    quantities,
    regexes,
    strings,
    urls,
  ].flatMap((library) => Object.entries(library)),
);

export function implementationOf(name: string): Implementation | undefined {
  return implementations.get(name);
}
