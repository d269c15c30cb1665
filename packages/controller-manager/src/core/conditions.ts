/**
 * Conditions of a status: a list by type, where the time of the last change of `status` is kept.
 */
export interface ConditionLike {
  type?: string;
  status?: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export function findCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * Adds or replaces. The same status and reason again changes nothing, message included: so a
 * message with a number in it makes no writes; the same status keeps its transition time.
 */
export function withCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  condition: C,
): C[] {
  const old = findCondition(conditions, condition.type ?? "");
  if (old?.status === condition.status && old?.reason === condition.reason) {
    return [...(conditions ?? [])];
  }
  const next =
    old?.status === condition.status && old?.lastTransitionTime !== undefined
      ? { ...condition, lastTransitionTime: old.lastTransitionTime }
      : condition;
  return [...withoutCondition(conditions, condition.type ?? ""), next];
}

export function withoutCondition<C extends ConditionLike>(
  conditions: readonly C[] | undefined,
  type: string,
): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
