/**
 * securityContext.windowsOptions of a pod or container: group-managed accounts, the user's name.
 *
 * Source  pkg/apis/core/validation/validation.go validateWindowsSecurityContextOptions
 */
import type { WindowsSecurityContextOptions } from "@nanokube/api/core/v1";
import { check, type FieldError, type FieldPath, invalid } from "../../field.ts";
import { byteLength, dns1123Subdomain } from "../../names.ts";

const specMaxKiB = 64;
const domainMax = 256;
const userMax = 104;

const netBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const domainName =
  /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

function userProblems(name: string): string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  if (/\p{Cc}/u.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const user = parts.at(-1)!;
  const domain = parts.length === 2 ? parts[0]! : undefined;
  const problems: string[] = [];
  if (domain !== undefined) {
    if (domain.length >= domainMax) {
      problems.push(`runAsUserName's Domain length must be under ${domainMax} characters`);
    }
    if (!netBios.test(domain) && !domainName.test(domain)) {
      problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
  }
  if (user === "") problems.push("runAsUserName's User cannot be empty");
  else if (user.length > userMax) {
    problems.push(`runAsUserName's User length must not be longer than ${userMax} characters`);
  }
  if (/^[. ]+$/.test(user)) {
    problems.push("runAsUserName's User cannot contain only periods or spaces");
  }
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    const bad = '"/\\:;|=,+*?<>@[]';
    problems.push(`runAsUserName's User cannot contain the following characters: ${bad}`);
  }
  return problems;
}

export function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  path: FieldPath,
): FieldError[] {
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options ?? {};
  const errors: FieldError[] = [];
  if (gmsaCredentialSpecName !== undefined) {
    const at = path.child("gmsaCredentialSpecName");
    errors.push(...check(at, gmsaCredentialSpecName, dns1123Subdomain));
  }
  if (gmsaCredentialSpec !== undefined) {
    const at = path.child("gmsaCredentialSpec");
    if (gmsaCredentialSpec === "") {
      errors.push(invalid(at, "", "gmsaCredentialSpec cannot be an empty string"));
    } else if (byteLength(gmsaCredentialSpec) > specMaxKiB * 1024) {
      const why = `gmsaCredentialSpec size must be under ${specMaxKiB} KiB`;
      errors.push(invalid(at, gmsaCredentialSpec, why));
    }
  }
  if (runAsUserName !== undefined) {
    errors.push(...check(path.child("runAsUserName"), runAsUserName, userProblems));
  }
  return errors;
}
