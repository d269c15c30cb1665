/**
 * What goes wrong, in CNI's numbers.
 *
 * A runtime acts on the code: 3 "nothing to clean up", 11 "try again later"; everything else is
 * shown to the user.
 *
 * Shapes  CNIErrorBody  what stands on standard output when the exit status is 1
 * Source  CNI 1.1.0 SPEC.md, section 5, Error; pkg/types/types.go (999 is Go's ErrInternal)
 */

export const codes = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidConfig: 7,
  invalidNetNS: 8,
  tryAgainLater: 11,
  notAvailable: 50,
  limitedConnectivity: 51,
  internal: 999,
} as const;

export interface CNIErrorBody {
  cniVersion: string;
  code: number;
  msg: string;
  details?: string;
}

export class CNIError extends Error {
  readonly code: number;
  readonly details: string;

  constructor(code: keyof typeof codes, message: string, details = "") {
    super(message);
    this.name = "CNIError";
    this.code = codes[code];
    this.details = details;
  }
}

/** Any thrown thing as the JSON a runtime reads. */
export function errorBody(error: unknown, cniVersion: string): CNIErrorBody {
  const known = error instanceof CNIError ? error : undefined;
  const msg = error instanceof Error ? error.message : String(error);
  const details = known?.details ?? "";
  return {
    cniVersion,
    code: known?.code ?? codes.internal,
    msg,
    ...(details === "" ? {} : { details }),
  };
}
