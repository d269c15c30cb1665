/**
 * Where a webhook is: by URL or by Service.
 *
 * Source  apiserver pkg/util/webhook/validation.go
 */
import type { WebhookClientConfig } from "@nanokube/api/admissionregistration/v1";
import { type FieldError, type FieldPath, invalid, required } from "./field.ts";
import { dns1123Subdomain } from "./names.ts";

const form = "; desired format: https://host[/path]";

export function validateClientConfig(
  { url, service }: WebhookClientConfig,
  path: FieldPath,
): FieldError[] {
  if ((url === undefined) === (service === undefined)) {
    return [required(path, "exactly one of url or service is required")];
  }
  return url === undefined
    ? validateService(service!, path.child("service"))
    : validateURL(url, path.child("url"));
}

function validateURL(url: string, path: FieldPath): FieldError[] {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return [required(path, `url must be a valid URL${form}`)];
  }
  const errors: FieldError[] = [];
  const scheme = parsed.protocol.slice(0, -1);
  if (scheme !== "https") {
    errors.push(invalid(path, scheme, `'https' is the only allowed URL scheme${form}`));
  }
  if (parsed.host === "") {
    errors.push(invalid(path, parsed.host, `host must be specified${form}`));
  }
  if (parsed.username !== "" || parsed.password !== "") {
    const user = parsed.password === "" ? parsed.username : `${parsed.username}:${parsed.password}`;
    errors.push(invalid(path, user, "user information is not permitted in the URL"));
  }
  if (parsed.hash !== "") {
    errors.push(invalid(path, parsed.hash.slice(1), "fragments are not permitted in the URL"));
  }
  if (parsed.search !== "") {
    const query = parsed.search.slice(1);
    errors.push(invalid(path, query, "query parameters are not permitted in the URL"));
  }
  return errors;
}

function validateService(
  service: NonNullable<WebhookClientConfig["service"]>,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!service.name) errors.push(required(path.child("name")));
  if (!service.namespace) {
    errors.push(required(path.child("namespace")));
  }
  const { port = 443, path: own } = service;
  if (port < 1 || port > 65535) {
    const why = `port is not valid: must be between 1 and 65535, inclusive`;
    errors.push(invalid(path.child("port"), port, why));
  }
  if (own) errors.push(...validatePath(own, path.child("path")));
  return errors;
}

function validatePath(path: string, at: FieldPath): FieldError[] {
  if (path === "/") return [];
  if (path === "//") {
    return [invalid(at, path, "segment[0] may not be empty")];
  }
  const errors: FieldError[] = [];
  if (!path.startsWith("/")) errors.push(invalid(at, path, "must start with a '/'"));
  const url = path.slice(1);
  const segments = (url.endsWith("/") ? url.slice(0, -1) : url).split("/");
  for (const [i, segment] of segments.entries()) {
    if (segment === "") {
      errors.push(invalid(at, path, `segment[${i}] may not be empty`));
      continue;
    }
    for (const why of dns1123Subdomain(segment)) {
      errors.push(invalid(at, path, `segment[${i}]: ${why}`));
    }
  }
  return errors;
}
