/** Objects of the kinds that upstream serves on request only (--runtime-config=api/beta=true). */
import type { Tree } from "../corpus-case.ts";
import { clusterObjects } from "./cluster.ts";

const sameAs = (key: string): Tree => clusterObjects[key]!;

const selectors = [{ cel: { expression: "device.driver == 'gpu.example.com'" } }];
const claim: Tree = {
  devices: {
    requests: [
      { name: "one", deviceClassName: "gpu", selectors, count: 2, tolerations: [{ key: "k" }] },
      {
        name: "either",
        firstAvailable: [
          { name: "big", deviceClassName: "gpu", allocationMode: "All" },
          { name: "small", deviceClassName: "gpu" },
        ],
      },
    ],
    constraints: [{ requests: ["one"], matchAttribute: "gpu.example.com/numa" }],
  },
};

const slice: Tree = {
  driver: "gpu.example.com",
  nodeName: "n",
  pool: { name: "p", generation: 1, resourceSliceCount: 1 },
  devices: [
    {
      name: "gpu-0",
      basic: {
        attributes: { model: { string: "a100" }, numa: { int: 1 } },
        capacity: { memory: { value: "40Gi" } },
      },
    },
  ],
};

export const betaObjects: Readonly<Record<string, Tree>> = {
  "networking.k8s.io/v1beta1/ipaddresses": sameAs("networking.k8s.io/v1/ipaddresses"),
  "networking.k8s.io/v1beta1/servicecidrs": sameAs("networking.k8s.io/v1/servicecidrs"),
  "storage.k8s.io/v1beta1/volumeattributesclasses": sameAs(
    "storage.k8s.io/v1/volumeattributesclasses",
  ),
  "admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicies": sameAs(
    "admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
  ),
  "admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicybindings": sameAs(
    "admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
  ),
  "coordination.k8s.io/v1beta1/leasecandidates": {
    spec: {
      leaseName: "controller",
      binaryVersion: "1.36.0",
      emulationVersion: "1.35.0",
      strategy: "OldestEmulationVersion",
      pingTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:00:01.000000Z",
    },
  },
  "resource.k8s.io/v1beta2/deviceclasses": sameAs("resource.k8s.io/v1/deviceclasses"),
  "resource.k8s.io/v1beta2/resourceclaims": sameAs("resource.k8s.io/v1/resourceclaims"),
  "resource.k8s.io/v1beta2/resourceclaimtemplates": sameAs(
    "resource.k8s.io/v1/resourceclaimtemplates",
  ),
  "resource.k8s.io/v1beta2/resourceslices": sameAs("resource.k8s.io/v1/resourceslices"),
  "resource.k8s.io/v1beta2/devicetaintrules": {
    spec: {
      deviceSelector: { driver: "gpu.example.com", pool: "p", device: "gpu-0" },
      taint: {
        key: "example.com/broken",
        value: "yes",
        effect: "NoExecute",
        timeAdded: "2026-01-01T00:00:00Z",
      },
    },
  },
  "resource.k8s.io/v1beta1/deviceclasses": sameAs("resource.k8s.io/v1/deviceclasses"),
  "resource.k8s.io/v1beta1/resourceclaims": { spec: claim },
  "resource.k8s.io/v1beta1/resourceclaimtemplates": {
    spec: { metadata: { labels: { a: "b" } }, spec: claim },
  },
  "resource.k8s.io/v1beta1/resourceslices": { spec: slice },
};
