/**
 * Kinds in several versions: what is made in one of them is read, patched, replaced, applied and
 * removed in the others.
 */
import type { ResourceInfo } from "@nanokube/api";
import { accept, applyPatch, type CorpusCase, merged, mergePatch } from "../corpus-case.ts";
import { homeOf } from "../life/home.ts";
import { type Kind, kindOf, request, withMeta } from "../life/kind.ts";

export function versionCases(kinds: readonly ResourceInfo[]): CorpusCase[] {
  const families = Map.groupBy(kinds, ({ group, plural }) => `${plural}.${group}`);
  return [...families].flatMap(([family, versions]) => {
    if (versions.length < 2) return [];
    const namespace = `versions-${versions[0]!.plural}`;
    const own = versions.map((resource) => kindOf(resource, namespace));
    const cases = [
      ...homeOf(versions[0]!, namespace),
      ...own.flatMap((kind) =>
        madeIn(
          kind,
          own.filter((other) => other !== kind),
        ),
      ),
    ];
    return cases.map((each) => ({ ...each, name: `${family} · ${each.name}` }));
  });
}

function madeIn(kind: Kind, others: readonly Kind[]): CorpusCase[] {
  const { version } = kind.resource;
  const last = others.at(-1)!;
  const cases = [
    request("made", "POST", kind.all, kind.object),
    ...others.flatMap((other) => seenIn(kind, other)),
    request("removed with a wrong version", "DELETE", last.one, {
      kind: "DeleteOptions",
      apiVersion: "v1",
      preconditions: { resourceVersion: "1" },
    }),
    request("removed", "DELETE", `${last.one}?gracePeriodSeconds=0`),
    request("gone", "GET", kind.one),
  ];
  return cases.map((each) => ({ ...each, name: `${version}: ${each.name}` }));
}

function seenIn(kind: Kind, other: Kind): CorpusCase[] {
  const { resource, all, one, object } = other;
  const { version } = resource;
  const name = (object["metadata"] as { name: string }).name;
  const only = `fieldSelector=metadata.name%3D${encodeURIComponent(name)}`;
  const label = (value: string) => ({ metadata: { labels: { seen: value } } });
  const asked = { metadata: { resourceVersion: "$rv()" } };
  const cases: CorpusCase[] = [
    request("read", "GET", one),
    { ...request("read in protobuf", "GET", one), protobuf: true },
    request("listed", "GET", `${all}?${only}`),
    request("as a table", "GET", `${all}?${only}`, undefined, accept("Table")),
    request("its metadata", "GET", one, undefined, accept("PartialObjectMetadata")),
    request("patched, not kept", "PATCH", `${one}?dryRun=All`, label("dry"), mergePatch),
    request("patched", "PATCH", `${one}?fieldManager=p`, label(version), mergePatch),
    request("replaced", "PUT", one, merged(object, asked)),
    request("replaced with what is of the first", "PUT", one, merged(kind.object, asked)),
    request("made again", "POST", all, object),
    request("made with a body of the first", "POST", all, kind.object),
    request(
      "applied",
      "PATCH",
      `${one}?fieldManager=a-${version}&force=true`,
      withMeta(other, { labels: { applied: version } }),
      applyPatch,
    ),
    request(
      "applied with a body of the first",
      "PATCH",
      `${one}?fieldManager=b&force=true`,
      withMeta(kind, { labels: { other: "yes" } }),
      applyPatch,
    ),
    request(
      "applied by another",
      "PATCH",
      `${one}?fieldManager=c`,
      withMeta(other, { labels: { applied: "no" } }),
      applyPatch,
    ),
    request("then", "GET", kind.one),
    request(
      "then applied in its own",
      "PATCH",
      `${kind.one}?fieldManager=a-${version}`,
      withMeta(kind, { labels: { applied: "own" } }),
      applyPatch,
    ),
    request("at the end", "GET", one),
  ];
  return cases.map((each) => ({ ...each, name: `in ${version} ${each.name}` }));
}
