/** The only four things that a connector throws. Anything else is a refusal of one record, and a value. */

/** The system asks to wait; `retryAt` is epoch milliseconds. Never counted as success or failure. */
export class RateLimited extends Error {
  readonly _tag = "RateLimited";
  readonly retryAt: number | null;
  constructor(message: string, retryAt: number | null) {
    super(message);
    this.name = "RateLimited";
    this.retryAt = retryAt;
  }
}

/** No answer, or one that says "try again". `sent` is true when the request may have been carried out. */
export class Unavailable extends Error {
  readonly _tag = "Unavailable";
  readonly sent: boolean;
  constructor(message: string, options: { readonly sent: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = "Unavailable";
    this.sent = options.sent;
  }
}

/** The credentials, the scopes or the rights do not suffice; a person must act, as `remedy` says. */
export class AuthFailed extends Error {
  readonly _tag = "AuthFailed";
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.name = "AuthFailed";
    this.remedy = remedy;
  }
}

/** A call that claims to come from the system and does not. */
export class Forged extends Error {
  readonly _tag = "Forged";
  constructor(message: string) {
    super(message);
    this.name = "Forged";
  }
}

export type Fault = RateLimited | Unavailable | AuthFailed | Forged;

export const isFault = (error: unknown): error is Fault =>
  error instanceof RateLimited ||
  error instanceof Unavailable ||
  error instanceof AuthFailed ||
  error instanceof Forged;
