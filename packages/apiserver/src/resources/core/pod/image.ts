/**
 * The tag of an image reference: only `:latest` (or no tag and no digest) is pulled each time.
 *
 * Source  pkg/util/parsers/parsers.go ParseImageName (distribution/reference's grammar)
 */
const reference =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?\/|\[[a-fA-F0-9:]+\](?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::([\w][\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$/;

/** False too for what is not an image reference: there is no tag in it to be "latest". */
export function isLatestTag(image: string): boolean {
  const match = reference.exec(image);
  if (match === null) return false;
  const [, tag, digest] = match;
  return tag === undefined ? digest === undefined : tag === "latest";
}
