/** What another server says it has (an APIResourceList), as discovery here tells it on. */
import type { ResourceInfo } from "@nanokube/api";
import type { APIResource, APIResourceList } from "@nanokube/api/meta/v1";

export function foreignResources(
  group: string,
  version: string,
  list: APIResourceList,
): ResourceInfo[] {
  const all = list.resources ?? [];
  const mains = all.filter(({ name = "" }) => !name.includes("/"));
  return mains.map((resource): ResourceInfo => {
    const { name: plural = "", kind = "", verbs = [], shortNames, categories } = resource;
    const subs = all.filter(({ name = "" }) => name.startsWith(`${plural}/`));
    return {
      group,
      version,
      kind,
      plural,
      singular: resource.singularName ?? "",
      namespaced: resource.namespaced ?? false,
      verbs: [...verbs],
      type: "",
      ...(shortNames === undefined ? {} : { shortNames: [...shortNames] }),
      ...(categories === undefined ? {} : { categories: [...categories] }),
      ...(resource.storageVersionHash === undefined
        ? {}
        : { storageVersionHash: resource.storageVersionHash }),
      ...(subs.length === 0
        ? {}
        : { subresources: subs.map((sub) => subresource(group, version, sub)) }),
    };
  });
}

function subresource(
  group: string,
  version: string,
  { name = "", kind = "", ...sub }: APIResource,
) {
  const own = { group: sub.group ?? group, version: sub.version ?? version, kind };
  return { name: name.slice(name.indexOf("/") + 1), verbs: [...(sub.verbs ?? [])], kind: own };
}
