/**
 * Gives the memory of a buffer back at once. The bytes of bodies lie outside JavaScript's heap, where a flood makes garbage faster
 * than the collector looks for it.
 *
 * @internal
 */

/** Frees a buffer that nothing else reads any more. One that shares its memory with others is left to the collector. */
export const freeBytes = ({ buffer, byteLength }: Buffer): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength > 0) buffer.transfer(0)
}
