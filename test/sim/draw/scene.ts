/** A truck at the stop line as the lane's camera sees it: cab or tail, distracting paint, the gate behind it, day or night. */
import type { Rng } from '../random.ts'
import { between, chance, pick, whole } from '../random.ts'
import { text } from './font.ts'
import { box, disc, type Map2, type Outline, onto, pathData, polygon, ring, type XY } from './path.ts'
import { drawPlate, type PlateLook } from './plate.ts'

export interface Scene {
  readonly width: number
  readonly height: number
  readonly svg: string
  /** Where the plate is, clockwise from its top-left corner, pixels. */
  readonly quad: readonly [XY, XY, XY, XY]
}

export interface SceneView {
  readonly plate: PlateLook | null
  /** A second plate above the bumper, as cross-border trucks carry. */
  readonly second?: PlateLook
  readonly side: 'front' | 'rear'
  readonly night: boolean
}

const CAB_COLOURS = ['#b3261e', '#1f5fa8', '#e8e6df', '#2e7d4f', '#d9822b', '#58636e', '#7a1f2b']
const BOX_COLOURS = ['#8a9099', '#2f5d8a', '#b5522f', '#d8d5cb', '#3f6b4f']
const FIRMS = ['HOANG LONG', 'MINH ANH', 'LAO CAI EXPRESS', 'SONG HONG', 'THANH CONG', '红河物流', '云港运输', '昆河国际']
const BRANDS = ['HOWO', 'FAW', 'HINO', 'SHACMAN', 'DONGFENG', 'HYUNDAI']

/** A sheet of outlines in mm on one plane, seen through the plane's homography. */
class Sheet {
  readonly #out: string[] = []
  readonly #map: Map2
  constructor(map: Map2) {
    this.#map = map
  }
  fill(outline: Outline, fill: string, more = ''): void {
    this.#out.push(`<path fill="${fill}"${more} d="${pathData(outline, this.#map)}"/>`)
  }
  words(words: string, cx: number, y: number, h: number, fill: string): void {
    const { outline, width } = text(words, 0, 0, h)
    const at: Map2 = ([x, py]) => this.#map([x + cx - width / 2, py + y])
    this.#out.push(`<path fill="${fill}" d="${pathData(outline, at)}"/>`)
  }
  get svg(): string {
    return this.#out.join('')
  }
}

/** Width and height of the face in mm: the lower 2.3 m of a vehicle 2.5 m wide. */
const FACE = { w: 2500, h: 2300 }

/** Draws the scene; everything that varies comes from `r`. */
export function drawScene(view: SceneView, width: number, height: number, r: Rng): Scene {
  const plate = view.plate === null ? null : drawPlate(view.plate)
  // Scale: the plate is 110–200 pixels wide, as gate cameras are set up.
  const target = plate === null ? 150 : plate.width > 400 ? between(r, 135, 190) : between(r, 115, 150)
  const scale = Math.min((target / (plate?.width ?? 500)) * (width / 960), 0.42)
  const w = FACE.w * scale
  const h = FACE.h * scale
  const cx = width / 2 + between(r, -0.06, 0.06) * width
  const bottom = height * between(r, 0.9, 0.97)
  const yaw = between(r, -0.05, 0.05)
  const tilt = between(r, -0.025, 0.025)
  const quad: [XY, XY, XY, XY] = [
    [cx - w / 2, bottom - h * (1 + yaw) - (tilt * w) / 2],
    [cx + w / 2, bottom - h * (1 - yaw) + (tilt * w) / 2],
    [cx + w / 2, bottom + (tilt * w) / 2 - (yaw * h) / 4],
    [cx - w / 2, bottom - (tilt * w) / 2 + (yaw * h) / 4],
  ]
  const face = onto(FACE.w, FACE.h, quad)
  const sheet = new Sheet(face)
  const at = view.side === 'front' ? drawFront(sheet, view, r) : drawRear(sheet, view, r)
  let corners: [XY, XY, XY, XY] = quad
  if (plate !== null) {
    corners = hang(sheet, plate, at, r, face)
    if (view.second) hang(sheet, drawPlate(view.second), { x: at.x + (plate.width > 400 ? 0 : 40), y: at.y - 260 }, r, face)
  }
  const light = view.night ? 'night' : 'day'
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    defs(light),
    backdrop(width, height, light, r),
    shadow(cx, bottom, w),
    flank(quad, yaw, view),
    sheet.svg,
    view.night && view.side === 'front' ? glare(face, r) : '',
    '</svg>',
  ].join('')
  return { width, height, svg, quad: corners }
}

function hang(sheet: Sheet, plate: ReturnType<typeof drawPlate>, at: { x: number; y: number }, r: Rng, face: Map2): [XY, XY, XY, XY] {
  const left = at.x - plate.width / 2
  const slope = between(r, -0.02, 0.02)
  const place: Map2 = ([x, y]) => [left + x - slope * y, at.y + y + slope * (x - plate.width / 2)]
  const move = (o: Outline): Outline => o.map(([c, ...points]) => [c, ...points.map(place)])
  sheet.fill(move(box(-14, -12, plate.width + 28, plate.height + 24, 10)), '#1b1c1f')
  for (const s of plate.shapes) sheet.fill(move(s.outline), s.fill, s.hollow ? ' fill-rule="evenodd"' : '')
  const corner = (x: number, y: number) => face(place([x, y]))
  return [corner(0, 0), corner(plate.width, 0), corner(plate.width, plate.height), corner(0, plate.height)]
}

function drawFront(sheet: Sheet, view: SceneView, r: Rng): { x: number; y: number } {
  const colour = pick(r, CAB_COLOURS)
  const dark = '#22252a'
  sheet.fill(box(0, 0, 2500, 1960, 70), colour)
  // Windscreen with what is behind it, wipers, sun strip with the firm's name.
  sheet.fill(box(130, -300, 2240, 1000, 90), '#1d2730')
  sheet.fill(polygon([200, -200], [1050, -200], [700, 660], [200, 660]), '#33424f')
  sheet.fill(box(130, 560, 2240, 16), '#0d1013')
  const firm = pick(r, FIRMS)
  sheet.words(firm, 1250, 742, 92, view.night ? '#c9c5b8' : '#f4f1e6')
  // Grille with bars and the maker's name.
  sheet.fill(box(520, 880, 1460, 420, 40), dark)
  for (let i = 0; i < 5; i++) sheet.fill(box(560, 925 + i * 74, 1380, 26, 8), '#7b8088')
  sheet.fill(box(1000, 990, 500, 130, 20), dark)
  sheet.words(pick(r, BRANDS), 1250, 1012, 86, '#d7dade')
  // Lamps.
  for (const x of [90, 2050]) {
    sheet.fill(box(x, 1120, 360, 230, 50), '#c8ced4')
    sheet.fill(disc(x + 120, 1235, 85), '#f5f3e4')
    sheet.fill(disc(x + 270, 1235, 60), '#e7b65a')
  }
  // Bumper, fog lamps, plate recess, telephone number.
  sheet.fill(box(-20, 1440, 2540, 560, 60), chance(r, 0.5) ? colour : '#e3e3df')
  sheet.fill(box(-20, 1440, 2540, 40), '#00000040')
  sheet.fill(box(-20, 1930, 2540, 90, 30), dark)
  for (const x of [250, 2250]) sheet.fill(disc(x, 1700, 80), '#eef0ee')
  sheet.fill(box(700, 1560, 1100, 300, 30), '#2b2e33')
  sheet.words(`0${whole(r, 901, 989)}.${whole(r, 100, 999)}.${whole(r, 100, 999)}`, chance(r, 0.5) ? 430 : 2060, 1855, 60, '#7d2620')
  for (const x of [60, 2090]) sheet.fill(box(x, 2020, 350, 280, 60), '#141414')
  return { x: 1250 + between(r, -60, 60), y: view.plate && view.plate.lines === 2 ? 1600 : 1640 }
}

function drawRear(sheet: Sheet, view: SceneView, r: Rng): { x: number; y: number } {
  const colour = pick(r, BOX_COLOURS)
  sheet.fill(box(0, -900, 2500, 2500, 20), colour)
  // Container doors: ribs, rods, a painted fleet number.
  for (let i = 0; i < 9; i++) sheet.fill(box(60 + i * 270, -900, 24, 2380), '#00000030')
  for (const x of [1215, 1260]) sheet.fill(box(x, -900, 12, 2480), '#00000090')
  for (const x of [620, 900, 1600, 1880]) sheet.fill(disc(x, 900, 26), '#c9ccd0')
  for (const x of [612, 892, 1592, 1872]) sheet.fill(box(x, -900, 18, 2400, 6), '#c9ccd0')
  sheet.words(pick(r, FIRMS), 720, 200, 150, '#f1efe6')
  sheet.words(`${whole(r, 10, 99)}`, 2150, 300, 220, '#f1efe6')
  // Frame, red and white marks, lamps, mud flaps.
  sheet.fill(box(0, 1560, 2500, 120), '#2a2c30')
  for (let i = 0; i < 10; i++) sheet.fill(box(i * 250, 1500, 125, 55), '#c62b22')
  for (let i = 0; i < 10; i++) sheet.fill(box(125 + i * 250, 1500, 125, 55), '#e9e7df')
  sheet.fill(box(120, 1680, 2260, 340, 20), '#1f2125')
  for (const x of [170, 1930]) {
    sheet.fill(box(x, 1720, 400, 140, 30), '#8d1b16')
    sheet.fill(box(x + 20, 1740, 120, 100, 20), '#d9852b')
    sheet.fill(ring(box(x - 6, 1714, 412, 152, 34), box(x, 1720, 400, 140, 30)), '#0c0c0d', ' fill-rule="evenodd"')
  }
  for (const x of [150, 1900]) sheet.fill(box(x, 2020, 450, 280, 20), '#101113')
  return { x: 1250 + between(r, -80, 80), y: 1720 - (view.plate?.country === 'cn' ? 15 : 0) }
}

function defs(light: 'day' | 'night'): string {
  const [top, low, near, far] =
    light === 'day' ? ['#9fb6c8', '#d9dfdf', '#77797a', '#9a9b98'] : ['#0b0f17', '#1a212b', '#2b2d30', '#3a3c3e']
  return (
    `<defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${top}"/><stop offset="1" stop-color="${low}"/></linearGradient>` +
    `<linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${far}"/><stop offset="1" stop-color="${near}"/></linearGradient>` +
    '<radialGradient id="l"><stop offset="0" stop-color="#fffbe8" stop-opacity=".95"/><stop offset=".25" stop-color="#fff3c8" stop-opacity=".5"/>' +
    '<stop offset="1" stop-color="#fff3c8" stop-opacity="0"/></radialGradient></defs>'
  )
}

/** Sky, canopy, booths, the lane with its kerbs. */
function backdrop(w: number, h: number, light: 'day' | 'night', r: Rng): string {
  const horizon = h * between(r, 0.3, 0.38)
  const wall = light === 'day' ? '#b9b3a4' : '#3b3a38'
  const roof = light === 'day' ? '#5d6b74' : '#20262b'
  const p = (points: string, fill: string) => `<polygon points="${points}" fill="${fill}"/>`
  const booth = between(r, 0.02, 0.1) * w
  return [
    `<rect width="${w}" height="${h}" fill="url(#s)"/>`,
    `<rect y="${horizon}" width="${w}" height="${h - horizon}" fill="url(#g)"/>`,
    p(`0,0 ${w},0 ${w},${h * 0.09} 0,${h * 0.13}`, roof),
    `<rect x="${booth}" y="${h * 0.12}" width="${w * 0.13}" height="${h * 0.45}" fill="${wall}"/>`,
    `<rect x="${booth + w * 0.02}" y="${h * 0.2}" width="${w * 0.09}" height="${h * 0.14}" fill="${light === 'day' ? '#4a5a66' : '#e2c98a'}"/>`,
    `<rect x="${w * 0.93}" y="0" width="${w * 0.022}" height="${h * 0.8}" fill="${wall}"/>`,
    p(`${w * 0.12},${h} ${w * 0.34},${horizon} ${w * 0.355},${horizon} ${w * 0.17},${h}`, light === 'day' ? '#d8b94a' : '#6b5c2a'),
    p(`${w * 0.9},${h} ${w * 0.66},${horizon} ${w * 0.645},${horizon} ${w * 0.85},${h}`, light === 'day' ? '#d8b94a' : '#6b5c2a'),
  ].join('')
}

const shadow = (cx: number, bottom: number, w: number): string =>
  `<ellipse cx="${cx}" cy="${bottom}" rx="${w * 0.56}" ry="${w * 0.05}" fill="#000" opacity=".45"/>`

/** The side of the vehicle that the camera sees a little of. */
function flank(quad: readonly [XY, XY, XY, XY], yaw: number, view: SceneView): string {
  const [tl, tr, br, bl] = quad
  const depth = Math.abs(yaw) * 900 + 12
  const side = yaw > 0 ? [tl, bl, -1] : [tr, br, 1]
  const [top, low, way] = side as [XY, XY, number]
  const points = `${top} ${low} ${low[0] + way * depth},${low[1] - depth * 0.5} ${top[0] + way * depth},${top[1] + depth * 0.3}`
  return `<polygon points="${points}" fill="${view.night ? '#15171a' : '#3d4247'}"/>`
}

/** Headlamps at night: light around them, away from the plate. */
function glare(face: Map2, r: Rng): string {
  if (chance(r, 0.4)) return ''
  return [210, 2290]
    .map((x) => {
      const [px, py] = face([x, 1235])
      return `<circle cx="${px}" cy="${py}" r="${between(r, 70, 110)}" fill="url(#l)"/>`
    })
    .join('')
}
