/** What must be there before an object of a kind can be: its namespace. */
import type { ResourceInfo } from "@nanokube/api";
import type { CorpusCase } from "../corpus-case.ts";

export function homeOf(resource: ResourceInfo, namespace: string): CorpusCase[] {
  if (!resource.namespaced) return [];
  const own: CorpusCase = {
    name: "its namespace",
    method: "POST",
    path: "/api/v1/namespaces",
    body: { metadata: { name: namespace } },
  };
  if (resource.plural !== "pods") return [own];
  const account: CorpusCase = {
    name: "its service account",
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts`,
    body: { metadata: { name: "default" } },
  };
  return [own, account];
}
