/**
 * Reads images and inline files. What does not look like one stays counted as text, so that no text can pass for an image or a
 * file; what the upstream would have to fetch besides images is refused.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import { COLON, endOfString, QUOTE, skipSpace } from "./JsonBytes.ts"
import { keyOf } from "./KnownKeys.ts"
import { isPictureName } from "./MediaNames.ts"
import type { Reading } from "./Reading.ts"

/** So many bytes of a string decide what it is. */
const PREFIX_BYTES = 512
/** A longer address of an image is counted as text as well: it could be a text that an upstream prints. */
const WEB_URL_BYTES_MAX = 8_192

/** An address, wherever it leads: `gs:` and `file:` too. */
const anyUrl = /^\s*(?!data:)[a-z][a-z0-9+.-]*:/i
const inData = /^\s*data:/i
const spacedWebUrl = /^\s+https?:\/\//i
const imageByUrl = /^https?:\/\//i
/** Documents and films, which some upstreams fetch where an image stands. */
const fileByUrl =
  /^[^?#]*\.(?:3gp|aac|avi|csv|docx?|epub|flac|flv|html?|json|m3u8|m4[av]|md|mkv|mov|mp[34]|mpd|mpe?g|od[pst]|og[agv]|opus|pdf|pptx?|rtf|txt|wav|webm|wmv|xlsx?|xml|zip)(?:[?#]|$)|^(?:https?:)?\/\/(?:[a-z0-9-]+\.)?(?:youtube\.com|youtu\.be)\//i
const sound = /^\s*data:\s*(?:audio|video)\//i
/** Data of a type that is neither an image nor text, such as a PDF. */
const otherData = /^\s*data:\s*(?!image\/|text\/)[a-z]/i
/** SVG is text that some upstreams would read as such. */
const inlineImage = /^data:image\/(?!svg)[a-z0-9.+-]+(?:;[a-z0-9.+=-]+)*;base64,/i
/** How PNG, JPEG, GIF, WebP and AVIF begin in base64. */
const base64Image = /^(?:iVBORw0KGgo|\/9j\/|R0lGOD|UklGR|AAAA[A-Za-z0-9+/]{2,4}Z0eXBhdmlm)/

/** What is behind the data address, or bare base64. */
const dataOf = (text: string): string => /^\s*data:[^,]*,([\s\S]*)$/i.exec(text)?.[1] ?? text
/** How the archives begin that office documents are. */
const archives = ["PK\x03\x04", "\xd0\xcf\x11\xe0"]
/** How Matroska, MP3, Ogg, FLAC, MP3 without a tag, and AAC begin; and AVI, WAV, and MP4 other than images. */
const films = ["\x1aE\xdf\xa3", "ID3", "OggS", "fLaC", "\xff\xfb", "\xff\xf3", "\xff\xf2", "\xff\xf1", "\xff\xf9"]
const boxedFilm = /^(?:RIFF[^]{4}(?:AVI |WAVE)|[^]{4}ftyp(?!avi[fs]|hei[cmsx]|hev[cmsx]|mif1|msf1))/
/** Media types and names of films and sounds. */
const filmKind = /^\s*(?:audio|video)\/|\.(?:aac|avi|flac|m4a|m4v|mkv|mov|mp3|mp4|mpe?g|ogg|opus|wav|webm)\s*$/i

const unseenFile = "Unsupported input: %. The gateway cannot see or bound files by URL. Send the content inline."
const noSound = "Unsupported input: %. Audio and video are not metered."

const shortEscapes: ReadonlyMap<string, string> = new Map([["b", "\b"], ["f", "\f"], ["n", "\n"], ["r", "\r"], [
  "t",
  "\t"
]])

/** How the string `[start, end)` begins, decoded. */
function beginning(reading: Reading, start: number, end: number): string {
  const raw = reading.scan.view.toString("latin1", start + 1, Math.min(end - 1, start + 1 + PREFIX_BYTES))
  if (!raw.includes("\\")) return raw
  return raw.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|(.))/g,
    (_, hex: string | undefined, letter: string | undefined) =>
      hex === undefined
        ? shortEscapes.get(letter ?? "") ?? letter ?? ""
        : String.fromCharCode(Number.parseInt(hex, 16))
  )
}

/** A PDF may have other bytes in front of it. */
const isDocument = (data: string): boolean => data.includes("%PDF-") || archives.some((start) => data.startsWith(start))

const isFilm = (data: string): boolean => boxedFilm.test(data) || films.some((start) => data.startsWith(start))

/** How the data of an address or of bare base64 begins, a byte a character. */
const startOf = (text: string): string => Buffer.from(unescaped(dataOf(text)), "base64").toString("latin1")

/** An address without the escapes of ASCII. */
const unescaped = (text: string): string =>
  text.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** An image by URL. Some upstreams take files there, too: they count as such. */
export function readImageUrl(reading: Reading, at: number, depth: number): number {
  const { saved } = reading.scan
  const end = reading.scan.value(at, depth)
  if (end < 0) return -1
  const url = beginning(reading, at, end)
  reading.tally.images++
  const web = imageByUrl.test(url)
  if (!inData.test(url) && fileByUrl.test(unescaped(url))) return reading.unsupported(unseenFile)
  if (web) reading.tally.imageUrls++
  else if (sound.test(url)) return reading.unsupported(noSound)
  else if (anyUrl.test(url) && !spacedWebUrl.test(url)) return reading.unsupported(unseenFile)
  else if (otherData.test(url)) return addFile(reading, at, end, saved)
  else {
    // Some upstreams look at the data, whatever its address says.
    const data = startOf(url)
    if (isFilm(data)) return reading.unsupported(noSound)
    if (isDocument(data)) return addFile(reading, at, end, saved)
  }
  if (web ? end - at > WEB_URL_BYTES_MAX : !inlineImage.test(url)) reading.addString(at, end, saved)
  return end
}

/** An image as bare base64. */
export function readImageData(reading: Reading, at: number, depth: number): number {
  const { saved } = reading.scan
  const end = reading.scan.value(at, depth)
  if (end < 0) return -1
  // An empty string is no image.
  if (end - at <= 2) return end
  const data = beginning(reading, at, end)
  if (isFilm(startOf(data))) return reading.unsupported(noSound)
  if (isDocument(startOf(data))) return addFile(reading, at, end, saved)
  reading.tally.images++
  if (!base64Image.test(data) && !inlineImage.test(data)) reading.addString(at, end, saved)
  return end
}

/** An inline file. */
export function readFileData(reading: Reading, at: number, depth: number): number {
  const { saved } = reading.scan
  const end = reading.scan.value(at, depth)
  if (end < 0) return -1
  const data = beginning(reading, at, end)
  if (anyUrl.test(data)) return reading.unsupported(unseenFile)
  if (sound.test(data) || isFilm(startOf(data))) return reading.unsupported(noSound)
  return addFile(reading, at, end, saved)
}

/** The string `[at, end)` is a file. */
function addFile(reading: Reading, at: number, end: number, savedBefore: number): number {
  reading.tally.files++
  reading.tally.fileBytes += end - at - 2 - (reading.scan.saved - savedBefore)
  reading.places.file ??= reading.param()
  return end
}

/** Whether a file may be of the kind that its name or media type says; false when it is refused. */
export function checkFileKind(reading: Reading, kind: string): boolean {
  if (!filmKind.test(kind)) return true
  reading.unsupported(noSound)
  return false
}

/** Counts each key in the JSON text `[start, end)` under which an upstream may find an image. */
export function countPictures(reading: Reading, start: number, end: number): void {
  const { view } = reading.scan
  let at = start
  while (at < end) {
    if (view[at] !== QUOTE) {
      at++
      continue
    }
    const keyEnd = endOfString(view, at + 1)
    if (keyEnd < 0) return
    const isKey = view[skipSpace(view, keyEnd)] === COLON
    if (isKey && isPictureName(keyOf(view, at, keyEnd))) reading.tally.possibleImages++
    at = keyEnd
  }
}
