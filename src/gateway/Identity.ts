/**
 * Values that name a client's own users or caches to an upstream, as another user of this gateway cannot guess or repeat them:
 * an HMAC of the value under the user's id. Equal values of one user stay equal.
 *
 * @internal
 */
import { createHmac } from "node:crypto"
import type { UserId } from "../domain/Ids.ts"

/** Of base64url text; upstreams take 64 characters. */
export const identityOf = (userId: UserId) => (value: string): string =>
  createHmac("sha256", `realms:user:${userId}`).update(value).digest("base64url")
