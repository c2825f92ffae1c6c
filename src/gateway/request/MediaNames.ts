/**
 * Names under which upstreams look for images, films, sounds and files, whatever else an object says that it is.
 *
 * @internal
 */
const media = ["image", "video", "audio", "file"]
const shapes = ["*", "*s", "input*", "*url", "*urls", "*uri", "*data", "*id", "*ids"]
const names: ReadonlySet<string> = new Set(
  media.flatMap((medium) => shapes.map((shape) => shape.replace("*", medium)))
    .concat("documenturl", "mediaurl", "inlinedata")
)

/** Whether the key is such a name, in `snake_case` or `camelCase`. Only a short one can be. */
export const isMediaName = (key: string): boolean => key.length <= LETTERS_MAX && names.has(lettersOf(key))

/** The same without ids, such as those of files that a text cites: an upstream shows the model no image by them. */
export const isPictureName = (key: string): boolean => isMediaName(key) && !/ids?$/.test(lettersOf(key))

const lettersOf = (key: string): string => key.toLowerCase().replaceAll(separators, "")

const LETTERS_MAX = 24
const separators = /[-_]/g
