/**
 * Why an answer still differs: the first entry that fits a case's group and name. A case without
 * one fails the corpus' test, so that nothing is accepted without a word.
 */
interface Reason {
  group?: RegExp;
  name: RegExp;
  why: string;
}

const reasons: readonly Reason[] = [
  {
    name: /= (\[\]|\{\})$/,
    why: "an empty list or map that was sent: our trees are canonical, an empty one is an absent one; upstream's validation, diffs and generation still see it",
  },
  {
    group: /^v1\/(configmaps|secrets)$/,
    name: /\{"a":null\}$/,
    why: "null as a map's value: Go reads a zero value under the key, we drop the key",
  },
  {
    group: /persistentvolumeclaims/,
    name: /dataSourceRef\.namespace/,
    why: "upstream drops the whole dataSourceRef of another namespace, ours only its namespace",
  },
  {
    group: /^v1\/pods$/,
    name: /restartPolicyRules/,
    why: "rules of an init container without a policy are not looked at upstream",
  },
  {
    group: /^v1\/pods$/,
    name: /downwardAPI\.items/,
    why: "warnings about overlapping paths within one volume are not written",
  },
  {
    group: /^v1\/services$/,
    name: /nodePort = -1/,
    why: "a dry run of upstream takes a negative node port and hands out 1; we pick one",
  },
  {
    group: /^v1\/services$/,
    name: /^create: nothing/,
    why: "upstream allocates an address for a service without a name before it is validated, and tells of that",
  },
  {
    group: /statefulsets$/,
    name: /labels = \{"a b"/,
    why: "upstream validates a StatefulSet's pod template twice, with its claims as volumes",
  },
  {
    group: /^events\.k8s\.io/,
    name: /^(changed|delete)/,
    why: "upstream tells of the core Event's internal type and group whatever version was asked",
  },
  {
    name: /^create: a (bad )?generated name$|ipaddresses · name made/,
    why: "upstream judges the name before its suffix is added",
  },
  {
    group: /resourceslices/,
    name: /nodeAllocatableResourceMappings/,
    why: "upstream counts a change of a field that it drops afterwards, its gate being off",
  },
  {
    group: /webhookconfigurations$/,
    name: /clientConfig\.url|sideEffects/,
    why: "Go's URL parser takes what WHATWG's refuses; an empty word is not an absent one",
  },
  {
    group: /customresourcedefinitions$/,
    name: /openAPIV3Schema/,
    why: "unions of JSON schemas (items, additionalProperties, dependencies) as Go decodes and prints them; unrecognized formats are not warned of",
  },
  {
    group: /customresourcedefinitions$/,
    name: /^(status|settled|delete|get as a table|changed: spec = )/,
    why: "the definition's own controllers: deletion's condition and finalizer, stored versions in a patched status, the order of two causes",
  },
  {
    group: /^(reads|kinds)\//,
    name: /yaml|YAML/,
    why: "a table's columns and a server's build are told in other words; a YAML library's words",
  },
  {
    group: /^kinds\/options$/,
    name: /cronjobs · name with a dot/,
    why: "that a CronJob's name is no DNS label is not warned of",
  },
  {
    group: /^reads\/history$/,
    name: /^a page after$/,
    why: "that another server made the store forget is noticed at our next round, within five minutes (upstream: 15 seconds): until then our cache still knows",
  },
  {
    group: /^kinds\/bodies$/,
    name: /protobuf: of another kind/,
    why: "upstream reads the bytes as the kind that they claim to be before it refuses the kind: what does not fit is told instead",
  },
  {
    group: /^kinds\/bodies$/,
    name: /protobuf: without a version/,
    why: "an envelope that names no version holds, for upstream, the version of the path; we read it likewise, but do not guess for kinds of several versions",
  },
  {
    group: /^kinds\/shapes$/,
    name: /status as a table/,
    why: "upstream has no table for the status of a ResourceClaim; ours is that of the claim",
  },
  {
    group: /^kinds\//,
    name: /delete: all, of another uid/,
    why: "upstream tells of the core Event's group whatever version was asked",
  },
  {
    group: /^kinds\/shapes$/,
    name: /table in protobuf/,
    why: "the warning of a deprecated version beside a form that is not offered",
  },
  {
    group: /^reads\/(paths|forms)$/,
    name: /version/,
    why: "what the server says of its own build",
  },
  {
    group: /^reads\/paths$/,
    name: /^(\d+|[A-Z]+) (\/(\?x=1)?|\/index\.html|\/debug\/pprof)$/,
    why: "the list of paths names other health checks and pages; Go's profiler is not there",
  },
  {
    group: /^reads\/paths$/,
    name: /openid|bindings|%ff/,
    why: "OpenID documents under a path with a slash behind; a Binding without a target; Go quotes bytes that are no UTF-8",
  },
  {
    group: /^apply\//,
    name: /./,
    why: "a warning told again, or replicas owned after a conversion between versions: one random sequence each",
  },
  {
    group: /^reads\/lists$/,
    name: /./,
    why: "Go quotes the first byte of what is no UTF-8, we its replacement",
  },
  {
    group: /^reads\/wire$/,
    name: /accept|body/,
    why: "YAML in lines of another width and with upstream's prose of columns; metadata of a list asked for as of one object; a YAML library's words",
  },
  {
    group: /^reads\/wire$/,
    name: /^(path|POST)/,
    why: "paths that lead nowhere: which of two refusals comes first",
  },
];

export function reasonOf(group: string, name: string): string | undefined {
  return reasons.find((one) => (one.group ?? /./).test(group) && one.name.test(name))?.why;
}
