/**
 * What counts as an e-mail address, wherever one is typed: of users, and the one that mail of this installation is from.
 */

const EMAIL_LENGTH_MAX = 254

/** https://html.spec.whatwg.org/#valid-e-mail-address */
const emailPattern =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/

/** What stands behind the `@` of a normalised address. */
export const emailDomain = (email: string): string => email.slice(email.lastIndexOf("@") + 1)

/** An address as it is stored and compared, in lower case; undefined when it is none. */
export const normalizeEmail = (text: string): string | undefined => {
  const email = text.trim().toLowerCase()
  return email.length <= EMAIL_LENGTH_MAX && emailPattern.test(email) ? email : undefined
}
