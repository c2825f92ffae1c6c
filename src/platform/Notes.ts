/**
 * What administrators have to give with a change that is about money: a note that says why, and a key by which the same
 * request is known again when it is sent twice.
 */

/** Characters of a note, at most. */
export const NOTE_CHARACTERS_MAX = 500

/** What is asked for, in words. */
export const noteRule = `a note that says why has 1 to ${NOTE_CHARACTERS_MAX} characters, in one line`
export const keyRule = "an idempotency key has 8 to 100 letters, digits and _ . : -"

/** Said where a key comes again with something else. */
export const keyReused =
  "this idempotency key was used for another request: repeat that request unchanged, or choose a new key"

const keyPattern = /^[\w.:-]{8,100}$/

/** The note without the space around it; undefined for one that is empty, too long or has control characters. */
export const checkNote = (text: string): string | undefined => {
  const note = text.trim()
  const isNote = note !== "" && note.length <= 2 * NOTE_CHARACTERS_MAX &&
    Array.from(note).length <= NOTE_CHARACTERS_MAX && note.isWellFormed() && !/\p{Cc}/u.test(note)
  return isNote ? note : undefined
}

/** 8 to 100 letters, digits and `_ . : -`. */
export const isIdempotencyKey = (text: string): boolean => keyPattern.test(text)
