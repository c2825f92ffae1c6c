/**
 * Roles: what kind of person a user is. What each may do in the administration is one table, `http/AdminPolicy.ts`.
 */
import { Schema } from "effect"

/**
 * `user` uses the gateway. `support` reads users, calls and orders. `finance` sees to payments and the books besides. `root` may do
 * everything.
 */
export const Role = Schema.Literals(["user", "support", "finance", "root"])
export type Role = typeof Role.Type

export const roles = Role.literals

export const isRole = (text: string | null): text is Role => roles.some((role) => role === text)

/** Whether the role gives or takes money: a setting may ask a second factor of it. */
export const handlesMoney = (role: Role): boolean => role === "finance" || role === "root"

/** Whether the administration is open to the role at all. */
export const isStaff = (role: Role): boolean => role !== "user"
