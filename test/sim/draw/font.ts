/** Letters as outlines, from fonts that come with npm packages: a fresh machine has no fonts of its own. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as fontkit from 'fontkit'
import type { Command, Outline, XY } from './path.ts'

const require = createRequire(import.meta.url)
const LATIN = '@fontsource/barlow-condensed/files/barlow-condensed-latin-600-normal.woff2'
const VIETNAMESE = '@fontsource/barlow-condensed/files/barlow-condensed-vietnamese-600-normal.woff2'
const HAN = '@fontsource/noto-sans-sc'

/** An outline in font units, y downwards from the top of the capitals (or of the character's own box, for Hanzi). */
export interface Glyph {
  readonly outline: Outline
  readonly width: number
  readonly height: number
  readonly advance: number
}

const open = (file: string): fontkit.Font => {
  const font = fontkit.openSync(require.resolve(file))
  if (!('glyphForCodePoint' in font)) throw new Error(`${file} is a collection of fonts, not a font`)
  return font
}
const fonts = new Map<string, fontkit.Font>()
const font = (file: string): fontkit.Font => {
  const known = fonts.get(file) ?? open(file)
  fonts.set(file, known)
  return known
}

/** Which subset of the Chinese font holds which code points, by file number: the package's own list. */
let subsets: readonly { readonly key: string; readonly ranges: readonly (readonly [number, number])[] }[] | undefined
function hanFile(code: number): string {
  subsets ??= Object.entries(JSON.parse(readFileSync(require.resolve(`${HAN}/unicode.json`), 'utf8')) as Record<string, string>)
    .filter(([key]) => key.startsWith('['))
    .map(([key, list]) => ({
      key: key.slice(1, -1),
      ranges: list.split(',').map((range) => {
        const [from, to] = range
          .replace('U+', '')
          .split('-')
          .map((s) => Number.parseInt(s, 16))
        return [from!, to ?? from!] as const
      }),
    }))
  const found = subsets.find((s) => s.ranges.some(([from, to]) => code >= from && code <= to))
  if (!found) throw new RangeError(`no font has the character ${String.fromCodePoint(code)}`)
  return `${HAN}/files/noto-sans-sc-${found.key}-700-normal.woff2`
}

const LETTER = { moveTo: 'M', lineTo: 'L', quadraticCurveTo: 'Q', bezierCurveTo: 'C', closePath: 'Z' } as const
const glyphs = new Map<string, Glyph>()

/** The outline of one character. Throws RangeError on one that no font has. */
export function glyph(char: string): Glyph {
  const known = glyphs.get(char)
  if (known) return known
  const code = char.codePointAt(0)!
  const han = code >= 0x2e80
  const source = han
    ? font(hanFile(code))
    : ([LATIN, VIETNAMESE].map(font).find((f) => f.hasGlyphForCodePoint(code)) ??
      (() => {
        throw new RangeError(`no font has the character ${char}`)
      })())
  const g = source.glyphForCodePoint(code)
  const { minX, maxX, minY, maxY } = g.bbox
  const top = han ? maxY : source.capHeight
  const outline = g.path.commands.map((c): Command => {
    const points: XY[] = []
    for (let i = 0; i + 1 < c.args.length; i += 2) points.push([c.args[i]! - minX, top - c.args[i + 1]!])
    return [LETTER[c.command], ...points]
  })
  const made: Glyph = { outline, width: maxX - minX, height: han ? maxY - minY : source.capHeight, advance: g.advanceWidth }
  glyphs.set(char, made)
  return made
}

/** The character stretched to a box; the narrow 1 and I keep their shape, in the middle. */
export function fitted(char: string, x: number, y: number, w: number, h: number): Outline {
  const g = glyph(char)
  const sy = h / g.height
  const natural = g.width * sy
  const width = char === '1' || char === 'I' ? Math.min(w, natural) : w
  const sx = width / g.width
  const left = x + (w - width) / 2
  return g.outline.map(([c, ...points]): Command => [c, ...points.map(([px, py]): XY => [left + px * sx, y + py * sy])])
}

/** A line of text, `h` high, from (x, y); returns its outline and width. */
export function text(words: string, x: number, y: number, h: number): { readonly outline: Outline; readonly width: number } {
  const outline: Command[] = []
  let at = x
  for (const char of words) {
    if (char === ' ') {
      at += h * 0.35
      continue
    }
    const g = glyph(char)
    const scale = h / g.height
    for (const [c, ...points] of g.outline) outline.push([c, ...points.map(([px, py]): XY => [at + px * scale, y + py * scale])])
    at += g.width * scale + h * 0.14
  }
  return { outline, width: at - x }
}
