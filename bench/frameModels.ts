/**
 * Models of the upstream whose streams have frames of one size, and what a call of them needs.
 */

/** Bytes of text in a frame. */
export const frameBytes: ReadonlyArray<number> = [16, 64, 256, 1_024, 4_096, 16_384]

/** Frames with text of one such stream. */
export const FRAMES_PER_STREAM = 100

/** What the upstream says that such a frame has. */
export const tokensOf = (bytes: number): number => Math.ceil(bytes / 4)

/** More than the largest of them is taken to have while it is read. */
export const FRAME_TOKENS_MAX = 1_000_000

export const frameModelOf = (bytes: number): string => `frame${bytes}`

export const frameModels = frameBytes.map((bytes) => ({ id: frameModelOf(bytes), maxOutputTokens: FRAME_TOKENS_MAX }))
