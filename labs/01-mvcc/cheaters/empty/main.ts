/** Hands in nothing: the file loads and there is no store behind it. */
export const create = () => ({});
