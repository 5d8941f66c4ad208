/**
 * A message of a camera topic → an encoded picture, whatever way the camera wraps it. Pure; never throws.
 * Forms seen: raw bytes (Frigate, Home Assistant), data URI (Milesight), base64 (Home Assistant `image_encoding: b64`), JSON
 * with one of these inside (Milesight, Vzenith).
 */
import { at } from '../../json-pointer.ts'
import { isPicture, type PictureHead, pictureHead } from './picture.ts'

/** Larger pictures are refused: no lane camera makes them, and decoding one takes a gigabyte. */
export const MAX_PIXELS = 40_000_000

/** Where common cameras put the picture. */
export const KNOWN_POINTERS = [
  '/values/image', // Milesight
  '/payload/AlarmInfoPlate/result/PlateResult/full_image_content', // Vzenith
  '/AlarmInfoPlate/result/PlateResult/full_image_content', // Vzenith over HTTP bridges
  '/image',
  '/snapshot',
  '/data/image',
] as const

export interface Limits {
  /** Bytes of the whole message. */
  readonly maxBytes: number
  readonly pointer?: string | undefined
}

/** Why a message was not taken; also the name of its counter. */
export type Refusal = 'empty' | 'too_large' | 'bad_json' | 'no_picture' | 'bad_base64' | 'too_many_pixels'

export type Unwrapped =
  | { readonly image: Uint8Array; readonly head: PictureHead }
  | { readonly refusal: Refusal /** In words, to follow the topic. */; readonly why: string }

const refuse = (refusal: Refusal, why: string): Unwrapped => ({ refusal, why })

/** Takes the picture out of a message. */
export function unwrapPicture(payload: Uint8Array, limits: Limits): Unwrapped {
  if (payload.length === 0) return refuse('empty', 'the message is empty')
  if (payload.length > limits.maxBytes) {
    return refuse('too_large', `the message has ${kib(payload.length)} KiB, more than max_kb ${kib(limits.maxBytes)}`)
  }
  if (isPicture(payload)) return checked(payload)
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1').trim()
  if (!text.startsWith('{') && !text.startsWith('[')) return fromText(text)
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return refuse('bad_json', 'the message begins like JSON and is not valid JSON')
  }
  for (const pointer of limits.pointer === undefined ? KNOWN_POINTERS : [limits.pointer]) {
    const value = at(document, pointer)
    if (typeof value === 'string' && value !== '') return fromText(value.trim())
  }
  const where = limits.pointer === undefined ? 'at none of the known places: set pointer' : `at pointer ${limits.pointer}`
  return refuse('no_picture', `the JSON holds no picture ${where}`)
}

/** A data URI or bare base64. */
function fromText(text: string): Unwrapped {
  let encoded = text
  if (text.startsWith('data:')) {
    const comma = text.indexOf(',')
    if (comma < 0 || comma > 200 || !/^data:image\/[a-z0-9.+-]+(;[^;,]*)*;base64$/i.test(text.slice(0, comma))) {
      return refuse('no_picture', 'the data URI is not data:image/…;base64,')
    }
    encoded = text.slice(comma + 1)
  }
  const bytes = decodeBase64(encoded)
  if (bytes === null) {
    return text === encoded && !looksEncoded(text)
      ? refuse('no_picture', 'the message is text, not a picture')
      : refuse('bad_base64', 'the base64 is broken')
  }
  return checked(bytes)
}

/** First characters of the three formats in base64: FF D8 FF, 89 50 4E, RIFF. */
const looksEncoded = (text: string) => /^(\/9j\/|iVBOR|UklGR)/.test(text)

/**
 * Strict, unlike Buffer.from, which leaves out characters that it does not know: then fewer bytes come out than the characters
 * promise. (Looking at each character first takes ten times as long, on the main thread.) Line breaks are allowed.
 * Null when it is not base64.
 */
function decodeBase64(text: string): Uint8Array | null {
  return decodeExactly(text) ?? (/[\r\n]/.test(text) ? decodeExactly(text.replace(/[\r\n]+/g, '')) : null)
}

function decodeExactly(text: string): Uint8Array | null {
  const digits = text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)
  // One digit left over cannot be a byte; padding, where given, must fill up to four.
  if (digits === 0 || digits % 4 === 1 || (digits !== text.length && text.length % 4 !== 0)) return null
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === Math.floor((digits * 3) / 4) ? bytes : null
}

function checked(image: Uint8Array): Unwrapped {
  const head = pictureHead(image)
  if (head === null) return refuse('no_picture', 'it is not a complete JPEG, PNG or WebP header')
  if (head.width * head.height > MAX_PIXELS) {
    return refuse(
      'too_many_pixels',
      `the picture says it has ${head.width} × ${head.height} pixels, more than ${MAX_PIXELS / 1e6} megapixels`,
    )
  }
  return { image, head }
}

const kib = (bytes: number) => Math.ceil(bytes / 1_024)
