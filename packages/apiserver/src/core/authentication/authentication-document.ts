/** AuthenticationConfiguration as it stands in its file; all of it may be absent. */
export interface Mapping {
  claim?: string;
  prefix?: string;
  expression?: string;
}

export interface IssuerDocument {
  url?: string;
  discoveryURL?: string;
  audiences?: string[];
  audienceMatchPolicy?: string;
  certificateAuthority?: string;
  egressSelectorType?: string;
}

export interface Entry {
  issuer?: IssuerDocument;
  claimValidationRules?: {
    claim?: string;
    requiredValue?: string;
    expression?: string;
    message?: string;
  }[];
  claimMappings?: {
    username?: Mapping;
    groups?: Mapping;
    uid?: Mapping;
    extra?: { key?: string; valueExpression?: string }[];
  };
  userValidationRules?: { expression?: string; message?: string }[];
}

export interface AuthenticationDocument {
  apiVersion?: string;
  kind?: string;
  jwt?: Entry[];
  anonymous?: { enabled?: boolean; conditions?: { path?: string }[] };
}

/** What is made of `anonymous`. */
export interface AnonymousConfiguration {
  enabled: boolean;
  /** Only for these paths; for all when absent. */
  paths?: readonly string[];
}
