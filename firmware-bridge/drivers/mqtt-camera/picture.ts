/**
 * The size of an encoded picture from its header, without decoding it: so that a picture bomb or something that is no picture
 * is refused before a decoder sees it. Sources: ITU-T T.81 Annex B (JPEG markers), PNG 3rd edition §11.2.1 (IHDR),
 * RFC 9649 (WebP: VP8, VP8L, VP8X).
 */
export interface PictureHead {
  readonly format: 'jpeg' | 'png' | 'webp'
  readonly width: number
  readonly height: number
}

/** Whether the first bytes are those of a JPEG, PNG or WebP. */
export function isPicture(bytes: Uint8Array): boolean {
  return formatOf(bytes) !== undefined
}

/** Null when it is none of the three formats, or its header is cut off or broken. Never throws, never reads past the end. */
export function pictureHead(bytes: Uint8Array): PictureHead | null {
  const format = formatOf(bytes)
  if (format === undefined) return null
  const size = { jpeg: jpegSize, png: pngSize, webp: webpSize }[format](new View(bytes))
  if (size === null || size.width < 1 || size.height < 1) return null
  return { format, ...size }
}

type Size = { readonly width: number; readonly height: number }

function formatOf(b: Uint8Array): PictureHead['format'] | undefined {
  if (b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff) return 'jpeg'
  if (startsWith(b, 0, '\x89PNG\r\n\x1a\n')) return 'png'
  if (startsWith(b, 0, 'RIFF') && startsWith(b, 8, 'WEBP')) return 'webp'
  return undefined
}

function startsWith(b: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (b[at + i] !== text.charCodeAt(i)) return false
  return true
}

/** Reads numbers; past the end they are NaN, which no comparison below takes for a size. */
class View {
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
  u8(at: number): number {
    return this.bytes[at] ?? Number.NaN
  }
  be16(at: number): number {
    return this.u8(at) * 256 + this.u8(at + 1)
  }
  be32(at: number): number {
    return this.be16(at) * 65_536 + this.be16(at + 2)
  }
  le16(at: number): number {
    return this.u8(at) + this.u8(at + 1) * 256
  }
  le24(at: number): number {
    return this.le16(at) + this.u8(at + 2) * 65_536
  }
}

const sized = (width: number, height: number): Size | null => (width >= 1 && height >= 1 ? { width, height } : null)

function jpegSize(view: View): Size | null {
  let at = 2
  // Each turn moves on by at least two bytes; a picture with thousands of segments before its frame header is no camera's.
  for (let segment = 0; segment < 1_000; segment++) {
    if (view.u8(at) !== 0xff) return null
    while (view.u8(at + 1) === 0xff) at++
    const marker = view.u8(at + 1)
    // SOF0…SOF15 without DHT (C4), JPG (C8) and DAC (CC).
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return sized(view.be16(at + 7), view.be16(at + 5))
    }
    const standalone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
    if (marker === 0xd9 || marker === 0xda || Number.isNaN(marker)) return null
    const length = standalone ? 0 : view.be16(at + 2)
    if (!standalone && !(length >= 2)) return null
    at += 2 + length
  }
  return null
}

function pngSize(view: View): Size | null {
  return view.be32(8) === 13 && startsWith(view.bytes, 12, 'IHDR') ? sized(view.be32(16), view.be32(20)) : null
}

function webpSize(view: View): Size | null {
  const { bytes } = view
  if (startsWith(bytes, 12, 'VP8X')) return sized(view.le24(24) + 1, view.le24(27) + 1)
  if (startsWith(bytes, 12, 'VP8L')) {
    if (view.u8(20) !== 0x2f) return null
    const [a, b, c, d] = [view.u8(21), view.u8(22), view.u8(23), view.u8(24)]
    if (Number.isNaN(d)) return null
    return sized(1 + (a | ((b & 0x3f) << 8)), 1 + ((b >> 6) | (c << 2) | ((d & 0x0f) << 10)))
  }
  if (startsWith(bytes, 12, 'VP8 ')) {
    // Key frame: start code 9D 01 2A after the three-byte tag, then 14 bits each of width and height.
    if (view.u8(23) !== 0x9d || view.u8(24) !== 0x01 || view.u8(25) !== 0x2a) return null
    const [width, height] = [view.le16(26), view.le16(28)]
    return Number.isNaN(height) ? null : sized(width & 0x3fff, height & 0x3fff)
  }
  return null
}
