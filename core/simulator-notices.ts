/** The calls that a simulated vendor makes to a customer's address: it keeps them, a courier takes and posts them. */

/** One call, to be posted as it is. */
export interface Notice {
  /** Names it when its answer is told; a call that is made again has another one. */
  readonly id: string;
  readonly url: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the customer's address answered; null where nobody did. */
export type NoticeAnswer = { readonly status: number; readonly body: string } | null;

export interface Notices {
  /** The calls that are due by the vendor's clock; each is taken once. */
  readonly take: () => ReadonlyArray<Notice>;
  /** Rings when a call may have become due; calls that are due later do not ring again. Ends with the returned function. */
  readonly listen: (onDue: () => void) => () => void;
  /** Tells the vendor what came back, so that it calls again if it is of that kind. */
  readonly answered: (notice: Notice, answer: NoticeAnswer) => void;
}

/** Beside the two that differ by vendor, the bell that all of them need. */
export function createNotices(
  vendor: Pick<Notices, "take"> & Partial<Pick<Notices, "answered">>,
): Notices & { readonly ring: () => void } {
  const listeners = new Set<() => void>();
  return {
    take: vendor.take,
    answered: vendor.answered ?? (() => undefined),
    listen: (onDue) => {
      listeners.add(onDue);
      return () => {
        listeners.delete(onDue);
      };
    },
    ring: () => {
      for (const onDue of listeners) onDue();
    },
  };
}
