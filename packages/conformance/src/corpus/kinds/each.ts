/** Requests that every kind is asked in the same words, a topic a group. */
import type { ResourceInfo } from "@nanokube/api";
import type { CorpusCase, CorpusGroup } from "../corpus-case.ts";
import { homeOf } from "../life/home.ts";
import { isBusy, type Kind, kindOf, request } from "../life/kind.ts";
import { keyOf } from "../objects/of-kind.ts";

/** A finalizer of the server's keeps their objects after they are removed. */
const stay = new Set(["namespaces", "persistentvolumes", "volumeattributesclasses"]);

/** `topic` names the group and the namespaces; each case is named by its kind first. */
export function groupOfEach(
  topic: string,
  kinds: readonly ResourceInfo[],
  casesOf: (kind: Kind) => CorpusCase[],
): CorpusGroup {
  const calm = kinds.filter((resource) => !isBusy(resource) && !stay.has(resource.plural));
  const cases = calm.flatMap((resource) => {
    const kind = kindOf(resource, `${topic}-${resource.plural}-${resource.version}`);
    const own = [
      ...homeOf(resource, kind.namespace),
      request("make", "POST", kind.all, kind.object),
      ...casesOf(kind),
      request("remove", "DELETE", `${kind.one}?gracePeriodSeconds=0`),
    ];
    return own.map((each) => ({
      ...each,
      name: `${keyOf(resource)} · ${each.name}`,
      path: each.path.replace("$rv(make)", `$rv(${keyOf(resource)} · make)`),
    }));
  });
  // What takes its time stands at the end: it is asked all at once.
  const quick = cases.filter(({ beside }) => !beside);
  const slow = cases.filter(({ beside }) => beside);
  return { name: `kinds/${topic}`, cases: [...quick, ...slow] };
}
