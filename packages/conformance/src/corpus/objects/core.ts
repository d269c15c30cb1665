/** A valid object of every kind of the core group, with much of what it may say. */
import type { Tree } from "../corpus-case.ts";

export const podSpec: Tree = {
  restartPolicy: "Always",
  terminationGracePeriodSeconds: 20,
  dnsPolicy: "ClusterFirst",
  nodeSelector: { disk: "ssd" },
  serviceAccountName: "default",
  automountServiceAccountToken: false,
  hostname: "h",
  subdomain: "s",
  priorityClassName: "",
  securityContext: {
    runAsUser: 1000,
    runAsNonRoot: true,
    fsGroup: 2000,
    supplementalGroups: [3000],
    sysctls: [{ name: "kernel.shm_rmid_forced", value: "0" }],
    seccompProfile: { type: "RuntimeDefault" },
  },
  tolerations: [
    { key: "k", operator: "Equal", value: "v", effect: "NoExecute", tolerationSeconds: 9 },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] }],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, preference: { matchExpressions: [{ key: "a", operator: "Exists" }] } },
      ],
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            labelSelector: { matchLabels: { app: "x" } },
            topologyKey: "kubernetes.io/hostname",
          },
        },
      ],
    },
  },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "zone",
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { app: "x" } },
    },
  ],
  hostAliases: [{ ip: "127.0.0.1", hostnames: ["foo.local"] }],
  dnsConfig: {
    nameservers: ["1.2.3.4"],
    searches: ["a.b"],
    options: [{ name: "ndots", value: "2" }],
  },
  readinessGates: [{ conditionType: "www.example.com/feature" }],
  imagePullSecrets: [{ name: "pull" }],
  volumes: [
    { name: "empty", emptyDir: { sizeLimit: "1Gi" } },
    { name: "conf", configMap: { name: "cm", items: [{ key: "a", path: "b", mode: 256 }] } },
    { name: "sec", secret: { secretName: "s", defaultMode: 420 } },
    { name: "host", hostPath: { path: "/tmp", type: "Directory" } },
    {
      name: "down",
      downwardAPI: { items: [{ path: "l", fieldRef: { fieldPath: "metadata.labels" } }] },
    },
    {
      name: "proj",
      projected: {
        sources: [
          { serviceAccountToken: { path: "token", expirationSeconds: 3600, audience: "a" } },
          { configMap: { name: "cm", optional: true } },
        ],
      },
    },
    { name: "claim", persistentVolumeClaim: { claimName: "c", readOnly: true } },
  ],
  initContainers: [{ name: "init", image: "busybox", command: ["true"] }],
  containers: [
    {
      name: "main",
      image: "nginx:1.25",
      command: ["sh"],
      args: ["-c", "true"],
      workingDir: "/",
      ports: [{ name: "http", containerPort: 80, protocol: "TCP" }],
      env: [
        { name: "A", value: "b" },
        { name: "B", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "C", valueFrom: { secretKeyRef: { name: "s", key: "k", optional: true } } },
        { name: "D", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } },
      ],
      envFrom: [{ prefix: "P_", configMapRef: { name: "cm" } }],
      resources: {
        requests: { cpu: "100m", memory: "64Mi" },
        limits: { cpu: "1", memory: "128Mi" },
      },
      volumeMounts: [
        { name: "empty", mountPath: "/data", subPath: "x" },
        { name: "conf", mountPath: "/c" },
      ],
      livenessProbe: { httpGet: { path: "/", port: 80 }, initialDelaySeconds: 1, periodSeconds: 5 },
      readinessProbe: { tcpSocket: { port: "http" }, timeoutSeconds: 2, successThreshold: 2 },
      startupProbe: { exec: { command: ["true"] }, failureThreshold: 9 },
      lifecycle: {
        postStart: { exec: { command: ["true"] } },
        preStop: { httpGet: { path: "/x", port: "http", scheme: "HTTP" } },
      },
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: "IfNotPresent",
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
      },
    },
  ],
};

const claimSpec: Tree = {
  accessModes: ["ReadWriteOnce"],
  volumeMode: "Filesystem",
  storageClassName: "fast",
  resources: { requests: { storage: "1Gi" } },
};

export const coreObjects: Readonly<Record<string, Tree>> = {
  "v1/configmaps": { data: { a: "1", "b.txt": "two" }, binaryData: { c: "AAE=" } },
  "v1/secrets": { type: "Opaque", data: { a: "YQ==" }, stringData: { b: "c" } },
  "v1/endpoints": {
    subsets: [
      {
        addresses: [
          { ip: "10.1.2.3", hostname: "h", nodeName: "n", targetRef: { kind: "Pod", name: "p" } },
        ],
        notReadyAddresses: [{ ip: "10.1.2.4" }],
        ports: [{ name: "http", port: 80, protocol: "TCP" }],
      },
    ],
  },
  "v1/events": {
    involvedObject: { kind: "Pod", namespace: "$ns", name: "p", apiVersion: "v1", uid: "u" },
    reason: "Started",
    message: "it started",
    type: "Normal",
    source: { component: "kubelet", host: "n" },
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:00Z",
    count: 3,
  },
  "v1/limitranges": {
    spec: {
      limits: [
        {
          type: "Container",
          max: { cpu: "2" },
          min: { cpu: "100m" },
          default: { cpu: "1" },
          defaultRequest: { cpu: "500m" },
          maxLimitRequestRatio: { cpu: "10" },
        },
        { type: "Pod", max: { memory: "1Gi" } },
        { type: "PersistentVolumeClaim", max: { storage: "5Gi" }, min: { storage: "1Gi" } },
      ],
    },
  },
  "v1/namespaces": { spec: { finalizers: ["example.com/keep"] } },
  "v1/nodes": {
    spec: {
      podCIDR: "10.244.7.0/24",
      podCIDRs: ["10.244.7.0/24"],
      providerID: "x://y",
      unschedulable: true,
      taints: [{ key: "k", value: "v", effect: "NoSchedule" }],
    },
  },
  "v1/persistentvolumeclaims": { spec: claimSpec },
  "v1/persistentvolumes": {
    spec: {
      capacity: { storage: "5Gi" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: "slow",
      mountOptions: ["hard"],
      volumeMode: "Filesystem",
      claimRef: { namespace: "ns", name: "c" },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] }],
        },
      },
      csi: {
        driver: "csi.example.com",
        volumeHandle: "h",
        fsType: "ext4",
        volumeAttributes: { a: "b" },
      },
    },
  },
  "v1/pods": { spec: podSpec },
  "v1/podtemplates": {
    template: { metadata: { labels: { a: "b" } }, spec: podSpec },
  },
  "v1/replicationcontrollers": {
    spec: {
      replicas: 2,
      minReadySeconds: 1,
      selector: { app: "x" },
      template: { metadata: { labels: { app: "x" } }, spec: podSpec },
    },
  },
  "v1/resourcequotas": {
    spec: {
      hard: { pods: "10", "requests.cpu": "1", "count/deployments.apps": "5" },
      scopes: ["NotTerminating"],
      scopeSelector: {
        matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }],
      },
    },
  },
  "v1/serviceaccounts": {
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: "a" }],
    secrets: [{ name: "b" }],
  },
  "v1/services": {
    spec: {
      type: "NodePort",
      selector: { app: "x" },
      ports: [
        {
          name: "http",
          port: 80,
          targetPort: 8080,
          protocol: "TCP",
          appProtocol: "http",
        },
        { name: "dns", port: 53, targetPort: "dns", protocol: "UDP" },
      ],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } },
      externalTrafficPolicy: "Cluster",
      internalTrafficPolicy: "Cluster",
      externalIPs: ["192.0.2.9"],
      publishNotReadyAddresses: true,
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
    },
  },
};

export const claimTemplate: Tree = { metadata: { name: "data" }, spec: claimSpec };
