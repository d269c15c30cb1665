/** The secret that a driver's call is given, as text; none where none is named. */
import type { SecretReference } from "@nanokube/api/core/v1";
import { type Client, secrets } from "@nanokube/client";

export async function secretData(
  client: Client,
  reference: SecretReference | undefined,
): Promise<Record<string, string>> {
  if (reference?.name === undefined) return {};
  const api = client.resource(secrets).namespace(reference.namespace ?? "");
  const { data = {} } = await api.get(reference.name);
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
  );
}
