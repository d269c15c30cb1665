/**
 * Functions of Kubernetes' libraries whose price depends on their name alone: the estimate before a
 * program runs and the count while it runs charge them alike.
 *
 * Shapes  nominal   one unit, whatever they are given
 *         walking   once over a list
 * Source  k8s.io/apiserver/pkg/cel/library/cost.go
 */
const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

export const nominal = words(
  "serviceAccount path group resource subresource namespace name allowed reason error errored " +
    "masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast " +
    "isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat isGreaterThan " +
    "isLessThan compareTo add sub major minor patch getScheme getHostname getHost getPort " +
    "getEscapedPath getQuery",
);
export const walking = words("isSorted sum max min indexOf lastIndexOf");
