/** temporary */
export async function startStorage(..._args: unknown[]): Promise<void> {}
