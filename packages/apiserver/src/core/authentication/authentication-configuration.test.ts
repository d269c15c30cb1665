/** A configuration with one of each mistake; the texts are kube-apiserver 1.36.3's. */
import { parseYAML } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { readAuthenticationConfiguration } from "./authentication-configuration.ts";

const wrong = `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous: {enabled: false, conditions: [{path: /x}]}
jwt:
- issuer: {url: "http://u:p@x/?q#f", audiences: [a, a, ""], discoveryURL: "https://y"}
  claimValidationRules:
  - {claim: a, expression: "true"}
  - {}
  - {expression: "claims.x"}
  - {claim: b, message: m}
  - {expression: "true", requiredValue: x}
  - {expression: "true"}
  claimMappings:
    username: {claim: a}
    groups: {claim: x, expression: "y"}
    extra: [{key: "Foo", valueExpression: "1"}, {key: "a.k8s.io/x"}]
  userValidationRules: [{}, {expression: "user.username"}]
- issuer: {url: "https://x", audiences: [a], audienceMatchPolicy: Foo, discoveryURL: "https://x/"}
  claimMappings: {username: {expression: "claims.email", prefix: x}}
- issuer: {url: "https://x", audiences: []}
- issuer: {url: "https://z", audiences: [a]}
  claimMappings: {username: {expression: "claims.?email.orValue('')"}}
`;

test("all that is wrong is told", () => {
  const { problems } = readAuthenticationConfiguration(parseYAML(wrong), []);
  expect(problems).toEqual([
    'jwt[0].issuer.url: Invalid value: "http://u:p@x/?q#f": URL scheme must be https',
    'jwt[0].issuer.url: Invalid value: "http://u:p@x/?q#f": URL must not contain a username or password',
    'jwt[0].issuer.url: Invalid value: "http://u:p@x/?q#f": URL must not contain a query',
    'jwt[0].issuer.url: Invalid value: "http://u:p@x/?q#f": URL must not contain a fragment',
    'jwt[0].issuer.audiences[1]: Duplicate value: "a"',
    "jwt[0].issuer.audiences[2]: Required value",
    'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
    'jwt[0].claimValidationRules[0]: Invalid value: "a": claim and expression can\'t both be set',
    "jwt[0].claimValidationRules[1]: Required value: claim or expression is required",
    'jwt[0].claimValidationRules[2].expression: Invalid value: "claims.x": must evaluate to bool',
    'jwt[0].claimValidationRules[3].message: Invalid value: "m": may not be specified when claim is set',
    'jwt[0].claimValidationRules[4].requiredValue: Invalid value: "x": may not be specified when expression is set',
    'jwt[0].claimValidationRules[5].expression: Duplicate value: "true"',
    "jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing",
    'jwt[0].claimMappings.groups: Invalid value: "": claim and expression can\'t both be set',
    'jwt[0].claimMappings.extra[0].key: Invalid value: "Foo": must be a domain-prefixed path (such as "acme.io/foo")',
    'jwt[0].claimMappings.extra[0].key: Invalid value: "Foo": must be lowercase',
    'jwt[0].claimMappings.extra[1].key: Invalid value: "a.k8s.io/x": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
    "jwt[0].claimMappings.extra[1].valueExpression: Required value",
    "jwt[0].userValidationRules[0].expression: Required value",
    'jwt[0].userValidationRules[1].expression: Invalid value: "user.username": must evaluate to bool',
    'jwt[1].issuer.discoveryURL: Invalid value: "https://x/": discoveryURL must be different from URL',
    'jwt[1].issuer.audienceMatchPolicy: Invalid value: "Foo": audienceMatchPolicy must be empty or MatchAny for single audience',
    'jwt[1].claimMappings.username.prefix: Invalid value: "x": may not be specified when expression is set',
    "jwt[2].issuer.audiences: Required value: at least one jwt[2].issuer.audiences is required",
    "jwt[2].claimMappings.username: Required value: claim or expression is required",
    'jwt[2].issuer.url: Duplicate value: "https://x"',
    "jwt[3].claimMappings.username.expression: Invalid value: \"claims.?email.orValue('')\": claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression",
    'anonymous.conditions: Invalid value: [{"Path":"/x"}]: enabled should be set to true when conditions are defined',
  ]);
});
