/**
 * Claim mappings and rules of an AuthenticationConfiguration, compiled.
 *
 * Source  apiserver pkg/apis/apiserver/validation/validation.go
 */
import {
  duplicate,
  type FieldError,
  type FieldPath,
  invalidValue,
  required,
} from "@nanokube/machinery";
import { dns1123Subdomain } from "../../resources/names.ts";
import type { Entry, Mapping } from "./authentication-document.ts";
import {
  type ClaimExpression,
  type ClaimExpressions,
  type ClaimRule,
  compileClaims,
} from "./claim-expressions.ts";

const both = "claim and expression can't both be set";
const verifyEmail =
  "claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression";

export class ClaimReader {
  readonly #errors: FieldError[];
  #usesEmail = false;
  #verifiesEmail = false;

  constructor(errors: FieldError[]) {
    this.#errors = errors;
  }

  #invalid(path: FieldPath, value: unknown, why: string): void {
    this.#errors.push(invalidValue(path, value, why));
  }

  #compile(
    text: string,
    path: FieldPath,
    variable: "claims" | "user" = "claims",
    isRule = false,
  ): ClaimExpression | undefined {
    const found = compileClaims(text, variable, isRule);
    if ("program" in found) return found;
    this.#invalid(path, text, found.error);
    return undefined;
  }

  #noteEmail({ program }: ClaimExpression): void {
    this.#verifiesEmail ||= program.selects("claims", "email_verified");
  }

  claimRules({ claimValidationRules = [] }: Entry, path: FieldPath): ClaimRule[] {
    const claims = new Set<string>();
    const expressions = new Set<string>();
    return claimValidationRules.flatMap((rule, i): ClaimRule[] => {
      const at = path.index(i);
      const { claim = "", expression = "", message = "", requiredValue = "" } = rule;
      if (claim !== "" && expression !== "") this.#invalid(at, claim, both);
      else if (claim !== "") {
        if (message !== "") {
          this.#invalid(at.child("message"), message, "may not be specified when claim is set");
        }
        if (claims.has(claim)) this.#errors.push(duplicate(at.child("claim"), claim));
        claims.add(claim);
      } else if (expression === "") {
        this.#errors.push(required(at, "claim or expression is required"));
      } else {
        if (requiredValue !== "") {
          const why = "may not be specified when expression is set";
          this.#invalid(at.child("requiredValue"), requiredValue, why);
        }
        const found = this.#once(expression, expressions, at.child("expression"), "claims");
        if (found === undefined) return [];
        this.#noteEmail(found);
        return [{ ...found, message }];
      }
      return [];
    });
  }

  #once(
    expression: string,
    seen: Set<string>,
    path: FieldPath,
    variable: "claims" | "user",
  ): ClaimExpression | undefined {
    if (seen.has(expression)) {
      this.#errors.push(duplicate(path, expression));
      return undefined;
    }
    seen.add(expression);
    return this.#compile(expression, path, variable, true);
  }

  userRules({ userValidationRules = [] }: Entry, path: FieldPath): ClaimRule[] {
    const seen = new Set<string>();
    return userValidationRules.flatMap(({ expression = "", message = "" }, i): ClaimRule[] => {
      const at = path.index(i).child("expression");
      if (expression === "") {
        this.#errors.push(required(at));
        return [];
      }
      const found = this.#once(expression, seen, at, "user");
      return found === undefined ? [] : [{ ...found, message }];
    });
  }

  /** Fills in what is said by expressions. */
  mappings(
    { username = {}, groups = {}, uid = {}, extra = [] }: NonNullable<Entry["claimMappings"]>,
    path: FieldPath,
    into: ClaimExpressions,
  ): void {
    const name = this.#prefixed(username, path.child("username"), true);
    if (name !== undefined) {
      this.#usesEmail ||= name.program.selects("claims", "email");
      this.#noteEmail(name);
      into.username = name;
    }
    const group = this.#prefixed(groups, path.child("groups"), false);
    if (group !== undefined) into.groups = group;
    if (uid.claim && uid.expression) this.#invalid(path.child("uid"), "", both);
    else if (uid.expression) {
      const found = this.#compile(uid.expression, path.child("uid", "expression"));
      if (found !== undefined) into.uid = found;
    }
    into.extra = this.#extra(extra, path.child("extra"));
    for (const one of into.extra) this.#noteEmail(one);
    if (!this.#usesEmail || this.#verifiesEmail) return;
    this.#invalid(path.child("username", "expression"), username.expression ?? "", verifyEmail);
  }

  #prefixed(
    { claim, prefix, expression }: Mapping,
    path: FieldPath,
    isRequired: boolean,
  ): ClaimExpression | undefined {
    if (expression && claim) this.#invalid(path, "", both);
    else if (expression) {
      const found = this.#compile(expression, path.child("expression"));
      if (prefix === undefined) return found;
      const why = "may not be specified when expression is set";
      this.#invalid(path.child("prefix"), prefix, why);
    } else if (claim) {
      if (prefix !== undefined) return undefined;
      const why =
        "prefix is required when claim is set. It can be set to an empty string to disable prefixing";
      this.#errors.push(required(path.child("prefix"), why));
    } else if (isRequired) {
      this.#errors.push(required(path, "claim or expression is required"));
    }
    return undefined;
  }

  #extra(
    mappings: readonly { key?: string; valueExpression?: string }[],
    path: FieldPath,
  ): ClaimExpressions["extra"] {
    const seen = new Set<string>();
    return mappings.flatMap(({ key = "", valueExpression = "" }, i) => {
      const at = path.index(i);
      this.#extraKey(key, at.child("key"));
      if (seen.has(key)) {
        this.#errors.push(duplicate(at.child("key"), key));
        return [];
      }
      seen.add(key);
      if (valueExpression === "") {
        this.#errors.push(required(at.child("valueExpression")));
        return [];
      }
      const found = this.#compile(valueExpression, at.child("valueExpression"));
      return found === undefined ? [] : [{ ...found, key }];
    });
  }

  #extraKey(key: string, path: FieldPath): void {
    this.#domainPrefixed(key, path);
    if (key !== key.toLowerCase()) this.#invalid(path, key, "must be lowercase");
    const [domain = ""] = key.includes("/") ? key.split("/") : [""];
    if (!/(?:^|\.)(?:kubernetes|k8s)\.io$/u.test(domain)) return;
    const why = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use";
    this.#invalid(path, key, why);
  }

  /** example.org/path */
  #domainPrefixed(key: string, path: FieldPath): void {
    if (key === "") {
      this.#errors.push(required(path));
      return;
    }
    const slash = key.indexOf("/");
    if (slash <= 0 || slash === key.length - 1) {
      this.#invalid(path, key, 'must be a domain-prefixed path (such as "acme.io/foo")');
      return;
    }
    const [domain, rest] = [key.slice(0, slash), key.slice(slash + 1)];
    for (const why of dns1123Subdomain(domain, false)) this.#invalid(path, domain, why);
    if (/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/u.test(rest)) return;
    const valid = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
    this.#invalid(path, rest, valid);
  }
}
