/**
 * Who waits for a connection's limits, the most urgent first: what a system just told us, what a person waits for, what
 * a schedule does, and what fills a hub for the first time.
 *
 * A daily budget keeps a reserve: the less urgent lanes stop while there is still something left for the others.
 */
export const lanes = ["webhook", "user", "schedule", "backfill"] as const;

export type Lane = (typeof lanes)[number];

export const rankOf = (lane: Lane): number => lanes.indexOf(lane);

/** Share of a day's units that a lane leaves to the more urgent ones. */
export const reserves: Readonly<Record<Lane, number>> = { webhook: 0, user: 0, schedule: 0.1, backfill: 0.2 };
