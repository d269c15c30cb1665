/**
 * Impersonate-* headers: who the request wants to act as, as it was said.
 *
 * Errors  400 for groups, a uid or more of nobody, with the wish as Go prints it
 * Source  apiserver pkg/endpoints/filters/impersonation/{constrained_,}impersonation.go
 */
import { badRequest, quoteGo } from "@nanokube/machinery";
import type { SentHeaders } from "../authenticator.ts";
import { headerValues, unescapeHeader } from "../request-header.ts";
import { splitServiceAccountName } from "../service-account.ts";

export interface WantedUser {
  name: string;
  uid: string;
  groups: readonly string[];
  extra: Readonly<Record<string, readonly string[]>>;
}

const lead = "impersonate-";
const extraLead = "impersonate-extra-";

/** Undefined when nobody is to be impersonated. */
export function readWantedUser(sent: SentHeaders, isConstrained: boolean): WantedUser | undefined {
  if (!hasWish(sent.headers)) return undefined;
  const first = (name: string): string => headerValues(sent, name)[0] ?? "";
  const extra: Record<string, readonly string[]> = {};
  for (const header of Object.keys(sent.headers)) {
    if (!header.startsWith(extraLead)) continue;
    const key = unescapeHeader(header.slice(extraLead.length));
    extra[key] = [...(extra[key] ?? []), ...headerValues(sent, header)];
  }
  const wanted: WantedUser = {
    name: first(`${lead}user`),
    uid: first(`${lead}uid`),
    groups: headerValues(sent, `${lead}group`),
    extra,
  };
  if (wanted.name !== "") return wanted;
  if (wanted.uid === "" && wanted.groups.length === 0 && Object.keys(extra).length === 0) {
    return undefined;
  }
  throw badRequest(
    isConstrained
      ? `requested ${userInfoInGo(wanted)} without impersonating a user name`
      : `requested ${referencesInGo(wanted)} without impersonating a user`,
  );
}

function hasWish(headers: SentHeaders["headers"]): boolean {
  for (const name in headers) if (name.startsWith(lead)) return true;
  return false;
}

/** %#v of a *user.DefaultInfo. */
function userInfoInGo({ uid, groups, extra }: WantedUser): string {
  const listInGo = (texts: readonly string[]): string =>
    `[]string{${texts.map(quoteGo).join(", ")}}`;
  const keys = Object.keys(extra).sort();
  const pairs = keys.map((key) => `${quoteGo(key)}:${listInGo(extra[key]!)}`);
  const fields = [
    `Name:""`,
    `UID:${quoteGo(uid)}`,
    `Groups:${groups.length === 0 ? "[]string(nil)" : listInGo(groups)}`,
    `Extra:map[string][]string${keys.length === 0 ? "(nil)" : `{${pairs.join(", ")}}`}`,
  ];
  return `&user.DefaultInfo{${fields.join(", ")}}`;
}

/** %v of ObjectReferences: kind, namespace, name, uid, version, resource version, field. */
function referencesInGo({ uid, groups, extra }: WantedUser): string {
  const version = "authentication.k8s.io/v1";
  const references = [
    ...groups.map((group) => ["Group", "", group, "", "", "", ""]),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => ["UserExtra", "", value, "", version, "", key]),
    ),
    ...(uid === "" ? [] : [["UID", "", uid, "", version, "", ""]]),
  ];
  return `[${references.map((fields) => `{${fields.join(" ")}}`).join(" ")}]`;
}

const nodePrefix = "system:node:";
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The node whose user this is; undefined when it is none's. */
export function nodeOf(userName: string): string | undefined {
  if (!userName.startsWith(nodePrefix)) return undefined;
  const node = userName.slice(nodePrefix.length);
  return node.length <= 253 && subdomain.test(node) ? node : undefined;
}

export function isServiceAccount(userName: string): boolean {
  return splitServiceAccountName(userName) !== undefined;
}

/** Nothing but a name: the rest of a node or service account is known. */
export function isNameOnly({ uid, groups, extra }: WantedUser): boolean {
  return uid === "" && groups.length === 0 && Object.keys(extra).length === 0;
}
