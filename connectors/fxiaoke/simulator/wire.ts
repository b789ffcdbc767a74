/** The vendor's envelope: HTTP 200 for everything, and refusals by code. */

export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A refusal in the vendor's words. Code 0 stands for the code of business failures, which a switch sets. */
export class Refused extends Error {
  readonly code: number;
  readonly description: string | undefined;
  /** Keys beside the envelope, such as those of the token endpoint. */
  readonly beside: Json;
  constructor(code: number, message: string, description?: string, beside: Json = {}) {
    super(message);
    this.name = "Refused";
    this.code = code;
    this.description = description;
    this.beside = beside;
  }

  static business(message: string): Refused {
    return new Refused(0, message);
  }

  static parameter(name: string): Refused {
    return new Refused(10006, `the parameter ${name} is missing or illegal`);
  }
}
