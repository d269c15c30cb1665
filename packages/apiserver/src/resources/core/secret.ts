/**
 * Secret: small pieces of confidential data, with a type that says which keys it must have.
 *
 * Source  pkg/registry/core/secret/strategy.go, pkg/apis/core/validation ValidateSecret
 */
import type { Secret } from "@nanokube/api/core/v1";
import { parseJSON } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { check, type FieldError, field, invalid, required, tooLong } from "../field.ts";
import { kind } from "../generic.ts";
import { configMapKey } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { age, columns, nameOf } from "../table.ts";
import { validateFrozen } from "./frozen.ts";

export const maxDataBytes = 1024 * 1024;

/** How many bytes a base64 text holds. */
export function decodedLength(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

function validateDocker(secret: Secret, key: string): FieldError[] {
  const at = field("data").key(key);
  const value = secret.data?.[key];
  if (value === undefined) return [required(at)];
  const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
  try {
    const parsed = parseJSON(new TextDecoder().decode(bytes));
    if (typeof parsed === "object" && !Array.isArray(parsed)) return [];
    const type = Array.isArray(parsed)
      ? "array"
      : typeof parsed === "boolean"
        ? "bool"
        : typeof parsed;
    const why = `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`;
    return [invalid(at, "<secret contents redacted>", why)];
  } catch (error) {
    return [invalid(at, "<secret contents redacted>", (error as Error).message)];
  }
}

function validateType(secret: Secret): FieldError[] {
  const data = secret.data ?? {};
  const missing = (...keys: string[]) =>
    keys.filter((key) => data[key] === undefined).map((key) => required(field("data").key(key)));
  switch (secret.type) {
    case "kubernetes.io/service-account-token": {
      const key = "kubernetes.io/service-account.name";
      if (secret.metadata?.annotations?.[key]) return [];
      return [required(field("metadata", "annotations").key(key))];
    }
    case "kubernetes.io/dockercfg":
      return validateDocker(secret, ".dockercfg");
    case "kubernetes.io/dockerconfigjson":
      return validateDocker(secret, ".dockerconfigjson");
    case "kubernetes.io/basic-auth": {
      const errors = missing("username", "password");
      return errors.length === 2 ? errors : [];
    }
    case "kubernetes.io/ssh-auth":
      return data["ssh-privatekey"] ? [] : [required(field("data").key("ssh-privatekey"))];
    case "kubernetes.io/tls":
      return missing("tls.crt", "tls.key");
    default:
      return [];
  }
}

function validateSecret(secret: Secret): FieldError[] {
  const path = field("data");
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    errors.push(...check(path.key(key), key, configMapKey));
    size += decodedLength(value);
  }
  if (size > maxDataBytes) errors.push(tooLong(path, "", maxDataBytes));
  return [...errors, ...validateType(secret)];
}

/** stringData is write-only: it is data that need not be base64. */
function mergeStringData(secret: Secret): void {
  if (secret.stringData === undefined) return;
  secret.data ??= {};
  const encoder = new TextEncoder();
  for (const [key, text] of Object.entries(secret.stringData)) {
    let binary = "";
    for (const byte of encoder.encode(text)) binary += String.fromCharCode(byte);
    secret.data[key] = btoa(binary);
  }
  delete secret.stringData;
}

export const secretStrategy: ResourceStrategy = kind(
  { updateMeta: ["update", "whole"] },
  {
    default(object) {
      const secret = object as Secret;
      secret.type ||= "Opaque";
      mergeStringData(secret);
    },
    prepareForUpdate(object, old) {
      // A client that does not know the type must not change it.
      (object as Secret).type ||= (old as Secret).type;
    },
    validate: (object) => validateSecret(object as Secret),
    validateUpdate: (object, old) => [
      ...validateImmutable((object as Secret).type, (old as Secret).type, field("type")),
      ...validateFrozen(object, old, ["data"]),
      ...validateSecret(object as Secret),
    ],
    selectableFields: (object) => ({ type: (object as Secret).type ?? "" }),
    columns: columns("Name, Type, Data, Age"),
    row: (object, now) => [
      nameOf(object),
      (object as Secret).type ?? "",
      Object.keys((object as Secret).data ?? {}).length,
      age(object, now),
    ],
  },
);
