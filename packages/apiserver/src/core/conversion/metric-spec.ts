/**
 * Metrics of an autoscaler as autoscaling/v1 keeps them in an annotation: v2's facts under the
 * names of the first beta.
 *
 * Source  k8s.io/api/autoscaling/v1 MetricSpec, pkg/apis/autoscaling/v1/conversion.go
 */
type Tree = Record<string, unknown>;

interface Target {
  type?: string;
  value?: unknown;
  averageValue?: unknown;
  averageUtilization?: unknown;
}

interface Source {
  name?: string;
  container?: string;
  describedObject?: unknown;
  metric?: { name?: string; selector?: unknown };
  target?: Target;
}

/** Members without a value are left out. */
const tree = (members: Tree): Tree =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

const toOld: Readonly<Record<string, (source: Source) => Tree>> = {
  object: ({ describedObject, metric, target }) =>
    tree({
      target: describedObject,
      metricName: metric?.name,
      targetValue: target?.value ?? "0",
      selector: metric?.selector,
      averageValue: target?.averageValue,
    }),
  pods: ({ metric, target }) =>
    tree({
      metricName: metric?.name,
      targetAverageValue: target?.averageValue,
      selector: metric?.selector,
    }),
  resource: ({ name, target }) =>
    tree({
      name,
      targetAverageUtilization: target?.averageUtilization,
      targetAverageValue: target?.averageValue,
    }),
  containerResource: ({ name, target, container }) =>
    tree({
      name,
      targetAverageUtilization: target?.averageUtilization,
      targetAverageValue: target?.averageValue,
      container,
    }),
  external: ({ metric, target }) =>
    tree({
      metricName: metric?.name,
      metricSelector: metric?.selector,
      targetValue: target?.value,
      targetAverageValue: target?.averageValue,
    }),
};

function targetOf(old: Tree): Target {
  const { targetValue, targetAverageUtilization } = old;
  const averageValue = old.targetAverageValue ?? old.averageValue;
  if (targetAverageUtilization !== undefined) {
    return { type: "Utilization", averageUtilization: targetAverageUtilization };
  }
  if (averageValue !== undefined) return { type: "AverageValue", averageValue };
  return { type: "Value", value: targetValue };
}

function fromOld(kind: string, old: Tree): Tree {
  const target = targetOf(old);
  if (kind === "resource") return tree({ name: old.name, target });
  if (kind === "containerResource") {
    return tree({ name: old.name, target, container: old.container });
  }
  const selector = old.selector ?? old.metricSelector;
  const metric = tree({ name: old.metricName, selector });
  return tree({ describedObject: kind === "object" ? old.target : undefined, metric, target });
}

function mapped(metric: Tree, change: (kind: string, source: Tree) => Tree): Tree {
  return Object.fromEntries(
    Object.entries(metric).map(([kind, source]) =>
      Object.hasOwn(toOld, kind) ? [kind, change(kind, source as Tree)] : [kind, source],
    ),
  );
}

export const metricToV1 = (metric: Tree): Tree =>
  mapped(metric, (kind, source) => toOld[kind]!(source as Source));

export const metricToV2 = (metric: Tree): Tree => mapped(metric, fromOld);
