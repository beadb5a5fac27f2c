// Who gives a command: a role, and the id by which the shop knows that person or service.

export const roles = ["buyer", "merchant", "staff", "provider", "system", "admin"] as const;

export type Role = (typeof roles)[number];

/** A buyer and a merchant act on their own orders only; an admin only reads. */
export interface Actor {
  readonly role: Role;
  readonly id: string;
}
