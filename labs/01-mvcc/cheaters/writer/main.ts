/** Tries to write the results itself. */
export async function create() {
  const { writeFileSync } = await import("node:fs");
  writeFileSync("results.json", JSON.stringify({ verdict: "pass" }));
}

await create();
