/**
 * The log every component is given: one event a call, data in fields, `msg` constant.
 *
 * pino fits it as it is: `pino() satisfies Log`.
 */
export interface Log {
  debug(fields: object, msg: string): void;
  info(fields: object, msg: string): void;
  warn(fields: object, msg: string): void;
  error(fields: object, msg: string): void;
  child(fields: object): Log;
}

/** Says nothing. */
export const nullLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => nullLog,
};
