/**
 * The few tables that the launcher prints itself, from the server's own Table answers.
 *
 * Source  apimachinery meta/v1 Table
 */
import type { Client } from "@nanokube/client";

interface Table {
  columnDefinitions: { name: string; priority?: number }[];
  rows: { cells: unknown[]; object?: { metadata?: { namespace?: string } } }[];
}

const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

export async function tableLines(
  client: Client,
  path: string,
  options: { wide?: boolean; withNamespace?: boolean; drop?: readonly string[] } = {},
): Promise<string[]> {
  const table = await client.requestJSON<Table>({ method: "GET", path, accept });
  const shown = table.columnDefinitions.flatMap(({ name, priority = 0 }, i) =>
    (priority > 0 && !options.wide) || options.drop?.includes(name) ? [] : [i],
  );
  const titles = shown.map((i) => table.columnDefinitions[i]!.name.toUpperCase());
  const rows = table.rows.map((row) => {
    const cells = shown.map((i) => String(row.cells[i] ?? ""));
    return options.withNamespace ? [row.object?.metadata?.namespace ?? "", ...cells] : cells;
  });
  return alignColumns([options.withNamespace ? ["NAMESPACE", ...titles] : titles, ...rows]);
}

/** Columns as kubectl prints them: three spaces between, none at the end. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]! + 3))
      .join("")
      .trimEnd(),
  );
}
