/**
 * Waits until custom resources are served, so that a test may create them at once.
 */
import type { CustomResourceDefinition } from "@nanokube/api/apiextensions/v1";
import { type ApiObject, type Client, isNotFound } from "@nanokube/client";

const servedWithinMs = 5_000;
const askAgainMs = 5;

export async function waitForDefinitions(
  client: Client,
  definitions: readonly ApiObject[],
): Promise<void> {
  for (const definition of definitions as readonly CustomResourceDefinition[]) {
    const { group = "", versions = [] } = definition.spec ?? {};
    for (const { name = "", served } of versions) {
      if (served) await waitForResource(client, definition, `/apis/${group}/${name}`);
    }
  }
}

async function waitForResource(
  client: Client,
  definition: CustomResourceDefinition,
  path: string,
): Promise<void> {
  const plural = definition.spec?.names?.plural;
  const untilMs = performance.now() + servedWithinMs;
  while (!(await isServed(client, path, plural))) {
    if (performance.now() > untilMs) {
      const name = definition.metadata?.name;
      throw new Error(`CustomResourceDefinition "${name}" is accepted and not served at ${path}`);
    }
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
  }
}

async function isServed(client: Client, path: string, plural: string | undefined) {
  try {
    const list = await client.requestJSON<{ resources: { name: string }[] }>({
      method: "GET",
      path,
    });
    return list.resources.some(({ name }) => name === plural);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
