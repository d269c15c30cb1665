/**
 * What the webhook server makes of objects that are to be in another version.
 *
 * Shapes  v1 { spec: { hostPort: "host:port" } }, v2 { spec: { host, port } }; the path of the hook
 *         says which mistake it makes
 */
type Tree = Record<string, unknown>;

interface Review extends Tree {
  request: { uid: string; desiredAPIVersion: string; objects: Tree[] };
}

function converted(object: Tree, apiVersion: string): Tree {
  const { spec, ...rest } = object as { spec?: Record<string, string> };
  if (spec === undefined) return { ...rest, apiVersion };
  if (!apiVersion.endsWith("/v2")) {
    const { host, port, ...others } = spec;
    return { ...rest, apiVersion, spec: { ...others, hostPort: `${host}:${port}` } };
  }
  const { hostPort = "", ...others } = spec;
  const [host, port] = hostPort.split(":");
  return { ...rest, apiVersion, spec: { ...others, host, port } };
}

const withMeta = (object: Tree, metadata: Tree): Tree => ({
  ...object,
  metadata: { ...(object["metadata"] as Tree), ...metadata },
});

type Change = (object: Tree) => Tree;

/** Each is a mistake, or something a hook may do. */
const changes: Readonly<Record<string, Change>> = {
  right: (object) => object,
  "wrong-version": (object) => ({ ...object, apiVersion: "conv.example.com/v9" }),
  "other-kind": (object) => ({ ...object, kind: "Other" }),
  "other-name": (object) => withMeta(object, { name: "other" }),
  "other-namespace": (object) => withMeta(object, { namespace: "other" }),
  "other-uid": (object) => withMeta(object, { uid: "other" }),
  "other-meta": (object) => withMeta(object, { generation: 77, finalizers: ["a/b"] }),
  labels: (object) => withMeta(object, { labels: { asked: "yes" }, annotations: { a: "b" } }),
  "bad-label": (object) => withMeta(object, { labels: { "a b": "c" } }),
  "number-label": (object) => withMeta(object, { labels: { a: 1 } }),
  "bad-annotation": (object) => withMeta(object, { annotations: { "a b": "c" } }),
  "list-labels": (object) => withMeta(object, { labels: ["a"] }),
  "no-metadata": ({ metadata: _, ...object }) => object,
  "text-metadata": (object) => ({ ...object, metadata: "text" }),
  unknown: (object) => ({ ...object, more: 1, spec: { ...(object["spec"] as Tree), more: 1 } }),
};

const success = { status: "Success" };

const wholes: Readonly<Record<string, (review: Review) => Tree>> = {
  failed: () => ({ result: { status: "Failure", message: "cannot do that" } }),
  "failed-silently": () => ({ result: { status: "Failure" } }),
  "no-result": () => ({}),
  "too-few": () => ({ result: success, convertedObjects: [] }),
  alone: ({ request: { objects, desiredAPIVersion } }) =>
    objects.length === 1
      ? {
          result: success,
          convertedObjects: objects.map((object) => converted(object, desiredAPIVersion)),
        }
      : { result: { status: "Failure", message: `asked about ${objects.length} at once` } },
  "wrong-answer-uid": () => ({ uid: "other", result: success, convertedObjects: [] }),
};

export function conversionAnswer(what: string, review: Review): Tree {
  const { request, kind, apiVersion } = review;
  const whole = wholes[what];
  if (whole !== undefined) {
    return { kind, apiVersion, response: { uid: request.uid, ...whole(review) } };
  }
  const change = changes[what]!;
  const convertedObjects = request.objects.map((object) =>
    change(converted(object, request.desiredAPIVersion)),
  );
  return { kind, apiVersion, response: { uid: request.uid, result: success, convertedObjects } };
}
