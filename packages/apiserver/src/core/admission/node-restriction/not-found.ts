/** The 404s of what a node speaks about. */
import { notFound, type StatusError } from "@nanokube/machinery";

export const nodeNotFound = (name: string): StatusError =>
  notFound({ group: "", resource: "node" }, name);

export const podNotFound = (name: string): StatusError =>
  notFound({ group: "", resource: "pod" }, name);
