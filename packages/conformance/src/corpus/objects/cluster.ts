/** A valid object of every kind of the other groups. */
import type { Tree } from "../corpus-case.ts";

/** PEM of a request for CN=jane, made once with openssl. */
const request = [
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIWk1JR0FBZ0VBTUI0eERUQUxCZ05W",
  "QkFNTUJHcGhibVV4RFRBTEJnTlZCQW9NQkdSbGRuTXdXVEFUQmdjcQpoa2pPUFFJQkJnZ3Foa2pPUFFN",
  "QkJ3TkNBQVJRMGtHeDI2ZG4xMkdJcENrcm5QM0xPTnBtdFl0ODVCMUwrdlBSCnp3dFFNWDhlUWR0bTV1",
  "aERBM0RrNCtoTFVNYko3dWVCUUlEb3ZFZUsyU2s1Qk5vTm9BQXdDZ1lJS29aSXpqMEUKQXdJRFNBQXdS",
  "UUloQUpXL0FoZ2YzVThobTFaUEFJYkhWcVQzZEVxQzBRRkY0K2JQbnowZFNrRkRBaUJCVHltNwp5dU5T",
  "Y084MkNmb0p5bzE3a2NxWWUvbS9NTmdNM1JQdzdrVnk2dz09Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJF",
  "UVVFU1QtLS0tLQo=",
].join("");

const webhook = (more: Tree): Tree => ({
  webhooks: [
    {
      name: "hook.example.com",
      clientConfig: { url: "https://hook.example.com/x" },
      rules: [
        {
          operations: ["CREATE"],
          apiGroups: ["none.example.com"],
          apiVersions: ["v1"],
          resources: ["nothings"],
          scope: "Namespaced",
        },
      ],
      failurePolicy: "Ignore",
      matchPolicy: "Exact",
      namespaceSelector: { matchLabels: { a: "b" } },
      objectSelector: { matchLabels: { a: "b" } },
      sideEffects: "None",
      timeoutSeconds: 5,
      admissionReviewVersions: ["v1"],
      matchConditions: [{ name: "c", expression: "true" }],
      ...more,
    },
  ],
});

const matchResources: Tree = {
  resourceRules: [
    {
      operations: ["CREATE"],
      apiGroups: ["none.example.com"],
      apiVersions: ["v1"],
      resources: ["nothings"],
    },
  ],
};

const device: Tree = {
  devices: {
    requests: [
      {
        name: "gpu",
        exactly: {
          deviceClassName: "gpu.example.com",
          allocationMode: "ExactCount",
          count: 2,
          selectors: [{ cel: { expression: 'device.driver == "gpu.example.com"' } }],
        },
      },
    ],
    constraints: [{ requests: ["gpu"], matchAttribute: "example.com/numa" }],
    config: [
      { requests: ["gpu"], opaque: { driver: "gpu.example.com", parameters: { kind: "X" } } },
    ],
  },
};

export const clusterObjects: Readonly<Record<string, Tree>> = {
  "apiregistration.k8s.io/v1/apiservices": {
    spec: {
      group: "none.example.com",
      version: "v1",
      groupPriorityMinimum: 100,
      versionPriority: 10,
      insecureSkipTLSVerify: true,
      service: { namespace: "ns", name: "svc", port: 443 },
    },
  },
  "events.k8s.io/v1/events": {
    eventTime: "2026-01-01T00:00:00.000000Z",
    reportingController: "example.com/controller",
    reportingInstance: "i-1",
    action: "Run",
    reason: "Started",
    regarding: { kind: "Pod", namespace: "$ns", name: "p", apiVersion: "v1" },
    related: { kind: "Node", name: "n" },
    note: "a note",
    type: "Normal",
    series: { count: 2, lastObservedTime: "2026-01-01T00:00:00.000000Z" },
  },
  "certificates.k8s.io/v1/certificatesigningrequests": {
    spec: {
      request,
      signerName: "example.com/signer",
      usages: ["client auth", "digital signature"],
      expirationSeconds: 3600,
    },
  },
  "networking.k8s.io/v1/ingressclasses": {
    spec: {
      controller: "example.com/ingress",
      parameters: { apiGroup: "example.com", kind: "Params", name: "p", scope: "Cluster" },
    },
  },
  "networking.k8s.io/v1/ingresses": {
    spec: {
      ingressClassName: "nginx",
      defaultBackend: { service: { name: "s", port: { number: 80 } } },
      tls: [{ hosts: ["a.example.com"], secretName: "tls" }],
      rules: [
        {
          host: "a.example.com",
          http: {
            paths: [
              {
                path: "/x",
                pathType: "Prefix",
                backend: { service: { name: "s", port: { name: "http" } } },
              },
              {
                path: "/y",
                pathType: "Exact",
                backend: { resource: { apiGroup: "example.com", kind: "Bucket", name: "b" } },
              },
            ],
          },
        },
        {
          host: "*.example.com",
          http: {
            paths: [
              {
                pathType: "ImplementationSpecific",
                backend: { service: { name: "s", port: { number: 1 } } },
              },
            ],
          },
        },
      ],
    },
  },
  "networking.k8s.io/v1/ipaddresses": {
    spec: { parentRef: { group: "", resource: "services", namespace: "default", name: "x" } },
  },
  "networking.k8s.io/v1/networkpolicies": {
    spec: {
      podSelector: { matchLabels: { app: "x" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: { a: "b" } } },
            { namespaceSelector: { matchLabels: { a: "b" } } },
            { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } },
          ],
          ports: [{ protocol: "TCP", port: 80, endPort: 90 }],
        },
      ],
      egress: [
        { to: [{ ipBlock: { cidr: "0.0.0.0/0" } }], ports: [{ protocol: "UDP", port: "dns" }] },
      ],
    },
  },
  "networking.k8s.io/v1/servicecidrs": { spec: { cidrs: ["10.200.0.0/24"] } },
  "rbac.authorization.k8s.io/v1/roles": {
    rules: [
      {
        apiGroups: [""],
        resources: ["pods", "pods/log"],
        verbs: ["get", "list"],
        resourceNames: ["a"],
      },
    ],
  },
  "rbac.authorization.k8s.io/v1/clusterroles": {
    rules: [
      { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
      { nonResourceURLs: ["/healthz", "/metrics/*"], verbs: ["get"] },
    ],
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { never: "matches" } }] },
  },
  "rbac.authorization.k8s.io/v1/rolebindings": {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
    subjects: [
      { kind: "User", name: "jane", apiGroup: "rbac.authorization.k8s.io" },
      { kind: "ServiceAccount", name: "sa", namespace: "ns" },
    ],
  },
  "rbac.authorization.k8s.io/v1/clusterrolebindings": {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "r" },
    subjects: [{ kind: "Group", name: "devs", apiGroup: "rbac.authorization.k8s.io" }],
  },
  "storage.k8s.io/v1/csidrivers": {
    spec: {
      attachRequired: true,
      podInfoOnMount: true,
      fsGroupPolicy: "File",
      storageCapacity: true,
      requiresRepublish: false,
      seLinuxMount: true,
      volumeLifecycleModes: ["Persistent", "Ephemeral"],
      tokenRequests: [{ audience: "a", expirationSeconds: 600 }],
    },
  },
  "storage.k8s.io/v1/csinodes": {
    spec: {
      drivers: [
        { name: "csi.example.com", nodeID: "n", topologyKeys: ["zone"], allocatable: { count: 5 } },
      ],
    },
  },
  "storage.k8s.io/v1/csistoragecapacities": {
    storageClassName: "fast",
    nodeTopology: { matchLabels: { zone: "a" } },
    capacity: "10Gi",
    maximumVolumeSize: "1Gi",
  },
  "storage.k8s.io/v1/storageclasses": {
    provisioner: "csi.example.com",
    parameters: { type: "ssd" },
    reclaimPolicy: "Retain",
    mountOptions: ["ro"],
    allowVolumeExpansion: true,
    volumeBindingMode: "WaitForFirstConsumer",
    allowedTopologies: [{ matchLabelExpressions: [{ key: "zone", values: ["a"] }] }],
  },
  "storage.k8s.io/v1/volumeattachments": {
    spec: { attacher: "csi.example.com", nodeName: "n", source: { persistentVolumeName: "pv" } },
  },
  "storage.k8s.io/v1/volumeattributesclasses": {
    driverName: "csi.example.com",
    parameters: { iops: "100" },
  },
  "admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": webhook({
    reinvocationPolicy: "IfNeeded",
  }),
  "admissionregistration.k8s.io/v1/validatingwebhookconfigurations": webhook({}),
  "admissionregistration.k8s.io/v1/validatingadmissionpolicies": {
    spec: {
      failurePolicy: "Ignore",
      matchConstraints: matchResources,
      validations: [{ expression: "object.spec.replicas < 5", message: "too many" }],
      matchConditions: [{ name: "c", expression: "true" }],
      auditAnnotations: [{ key: "k", valueExpression: "'v'" }],
      variables: [{ name: "v", expression: "1" }],
    },
  },
  "admissionregistration.k8s.io/v1/validatingadmissionpolicybindings": {
    spec: { policyName: "p.example.com", validationActions: ["Audit"], matchResources },
  },
  "admissionregistration.k8s.io/v1/mutatingadmissionpolicies": {
    spec: {
      failurePolicy: "Ignore",
      reinvocationPolicy: "Never",
      matchConstraints: matchResources,
      mutations: [
        {
          patchType: "ApplyConfiguration",
          applyConfiguration: { expression: "Object{spec: Object.spec{replicas: 1}}" },
        },
      ],
    },
  },
  "admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings": {
    spec: { policyName: "p.example.com", matchResources },
  },
  "scheduling.k8s.io/v1/priorityclasses": {
    value: 1000,
    description: "high",
    preemptionPolicy: "Never",
  },
  "coordination.k8s.io/v1/leases": {
    spec: {
      holderIdentity: "me",
      leaseDurationSeconds: 15,
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:00:00.000000Z",
      leaseTransitions: 1,
    },
  },
  "node.k8s.io/v1/runtimeclasses": {
    handler: "runc",
    overhead: { podFixed: { cpu: "10m" } },
    scheduling: {
      nodeSelector: { a: "b" },
      tolerations: [{ key: "k", operator: "Exists", effect: "NoSchedule" }],
    },
  },
  "discovery.k8s.io/v1/endpointslices": {
    addressType: "IPv4",
    endpoints: [
      {
        addresses: ["10.1.2.3"],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: "h",
        nodeName: "n",
        zone: "z",
        hints: { forZones: [{ name: "z" }] },
        targetRef: { kind: "Pod", name: "p" },
      },
    ],
    ports: [{ name: "http", port: 80, protocol: "TCP", appProtocol: "http" }],
  },
  "resource.k8s.io/v1/deviceclasses": {
    spec: {
      selectors: [{ cel: { expression: "device.driver == 'gpu.example.com'" } }],
      config: [{ opaque: { driver: "gpu.example.com", parameters: { kind: "X" } } }],
      extendedResourceName: "example.com/gpu",
    },
  },
  "resource.k8s.io/v1/resourceclaims": { spec: device },
  "resource.k8s.io/v1/resourceclaimtemplates": {
    spec: { metadata: { labels: { a: "b" } }, spec: device },
  },
  "resource.k8s.io/v1/resourceslices": {
    spec: {
      driver: "gpu.example.com",
      nodeName: "n",
      pool: { name: "p", generation: 1, resourceSliceCount: 1 },
      devices: [
        {
          name: "gpu-0",
          attributes: { model: { string: "a100" }, numa: { int: 1 } },
          capacity: { memory: { value: "40Gi" } },
        },
      ],
    },
  },
  "flowcontrol.apiserver.k8s.io/v1/flowschemas": {
    spec: {
      priorityLevelConfiguration: { name: "workload-low" },
      matchingPrecedence: 9000,
      distinguisherMethod: { type: "ByUser" },
      rules: [
        {
          subjects: [{ kind: "User", user: { name: "nobody-at-all" } }],
          resourceRules: [
            { verbs: ["get"], apiGroups: [""], resources: ["pods"], namespaces: ["x"] },
          ],
        },
      ],
    },
  },
  "flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations": {
    spec: {
      type: "Limited",
      limited: {
        nominalConcurrencyShares: 5,
        lendablePercent: 10,
        limitResponse: {
          type: "Queue",
          queuing: { queues: 16, handSize: 4, queueLengthLimit: 50 },
        },
      },
    },
  },
  "apiextensions.k8s.io/v1/customresourcedefinitions": {
    spec: {
      group: "none.example.com",
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget", shortNames: ["wg"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: { spec: { type: "object", properties: { size: { type: "integer" } } } },
            },
          },
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
        },
      ],
    },
  },
};
