/**
 * What the members of every object are for, as `kubectl explain` shows it, in our words. The rest
 * of the API is told without prose.
 *
 * Clients and upstream's conformance specs look for how some of these begin.
 */
const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

const ofObjects: Readonly<Record<string, string>> = {
  apiVersion: "APIVersion defines the group and the version that the object is written in.",
  kind: "Kind is what the object is of; CamelCase, and it does not change.",
};

const ofObjectMeta: Readonly<Record<string, string>> = {
  annotations: "Annotations are notes of tools and people; nothing selects objects by them.",
  creationTimestamp: "CreationTimestamp is a timestamp of when the server made the object.",
  deletionGracePeriodSeconds: "Seconds that the object is given to end by itself; set on deletion.",
  deletionTimestamp: "DeletionTimestamp is when the object is to be gone; set on deletion.",
  finalizers: "Names of those who have work to do before the object may go.",
  generateName:
    "A name that begins with this and is made unique by the server, when there is none.",
  generation: "Counts the changes of what is wanted; the server sets it.",
  labels: "Names and values by which objects are selected.",
  managedFields: "Who set which fields, and when; for server-side apply.",
  name: "Unique among the objects of its kind in the namespace; it does not change.",
  namespace: "The space within which the name is unique; empty where there is only one.",
  ownerReferences: "The objects that this one belongs to: when all of them are gone, it goes.",
  resourceVersion: "The version of the object in the store: opaque, compared, never made up.",
  selfLink: "No longer set.",
  uid: "Unique in time and space; set by the server.",
};

export const objectMetadata = "Standard object's metadata: its name, labels, owners and history.";

/** The sentence of a type's member, if it has one; `isObject` is one with metadata of its own. */
export function proseOf(typeName: string, member: string, isObject: boolean): string | undefined {
  if (typeName === `${meta}.ObjectMeta`) return ofObjectMeta[member];
  return isObject ? ofObjects[member] : undefined;
}
