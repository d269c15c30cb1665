/**
 * AlwaysPullImages: every pull is asked of the registry, so that no pod starts from an image that
 * another one's credentials brought.
 *
 * Source  plugin/pkg/admission/alwayspullimages/admission.go
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { FieldPath, notSupported } from "@nanokube/machinery";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

const lists = ["initContainers", "containers", "ephemeralContainers"] as const;

function* containersOf({ spec }: Pod): Generator<{ container: Container; at: FieldPath }> {
  for (const list of lists) {
    for (const [i, container] of (spec?.[list] ?? []).entries()) {
      const at = FieldPath.root("spec").child(list).index(i);
      yield { container: container as Container, at };
    }
  }
}

const imagesOf = (pod: Pod): Set<string> =>
  new Set([...containersOf(pod)].map(({ container }) => container.image ?? ""));

function bringsNewImages({ operation, object, oldObject }: AdmissionAttributes): boolean {
  if (operation !== "UPDATE") return true;
  const known = imagesOf(oldObject as Pod);
  return [...imagesOf(object as Pod)].some((image) => !known.has(image));
}

export const alwaysPullImages: AdmissionPlugin = {
  name: "AlwaysPullImages",
  handles: (attributes) =>
    ["CREATE", "UPDATE"].includes(attributes.operation) &&
    isFor(attributes, "", "pods") &&
    bringsNewImages(attributes),
  admit({ object }) {
    const pod = object as Pod;
    for (const { container } of containersOf(pod)) container.imagePullPolicy = "Always";
    for (const { image } of pod.spec?.volumes ?? []) if (image) image.pullPolicy = "Always";
  },
  validate(attributes) {
    const pod = attributes.object as Pod;
    for (const { container, at } of containersOf(pod)) {
      requireAlways(attributes, at.child("imagePullPolicy"), container.imagePullPolicy);
    }
    for (const [i, { image }] of (pod.spec?.volumes ?? []).entries()) {
      const at = FieldPath.root("spec").child("volumes").index(i).child("image");
      if (image) requireAlways(attributes, at.child("pullPolicy"), image.pullPolicy);
    }
  },
};

function requireAlways(attributes: AdmissionAttributes, at: FieldPath, policy = ""): void {
  if (policy === "Always") return;
  throw refuse(attributes, String(notSupported(at, policy, ["Always"])));
}
