/** One name of /metrics with its series, in the text form that Prometheus reads. */
export type Series = readonly [labels: string, value: number];

export function metricFamily(
  name: string,
  type: "counter" | "gauge",
  help: string,
  series: Iterable<Series>,
): string[] {
  const values = [...series].map(([labels, value]) =>
    labels === "" ? `${name} ${value}` : `${name}{${labels}} ${value}`,
  );
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...values];
}
