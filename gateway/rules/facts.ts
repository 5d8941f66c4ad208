/** What a rule may ask about: one zod schema gives the type, the CEL vocabulary and the documentation. */
import { z } from 'zod'

const text = (description: string, def = '') => z.string().default(def).meta({ description })
const flag = (description: string, def = false) => z.boolean().default(def).meta({ description })
const num = (description: string, def = 0) => z.number().default(def).meta({ description })
const texts = (description: string) => z.array(z.string()).default([]).meta({ description })

export const facts = z.strictObject({
  lane: z
    .strictObject({
      id: text('Lane id', 'lane-1'),
      direction: text('import or export', 'import'),
      takes: z.array(z.string()).default(['loaded']).meta({ description: 'Traffic classes the lane takes' }),
      priority: flag('Agricultural priority lane'),
      scale: flag('A weighbridge stands in this lane'),
      tag: flag('A UHF tag reader stands in this lane'),
      code: flag('A code scanner stands in this lane'),
    })
    .prefault({}),
  vehicle: z
    .strictObject({
      read: flag('At least one plate was read', true),
      sure: flag('The plate is sure: enough frames agree, no weak character', true),
      plate: text('Plate the vehicle goes by, empty when unread', '24C12345'),
      country: text('vn, cn or empty', 'vn'),
      trailer: text('Rear plate when it differs, else empty'),
      match: text('exact, near, ambiguous, undeclared or unread', 'exact'),
      candidates: num('How many declarations could be meant', 1),
    })
    .prefault({}),
  declaration: z
    .strictObject({
      found: flag('Exactly one declaration fits the vehicle', true),
      id: text('Id of the declaration', 'D1'),
      direction: text('import or export', 'import'),
      traffic: text('loaded, empty, agricultural, two-way, parcel, border-resident', 'loaded'),
      channel: text('green, yellow or red', 'green'),
      in_date: flag('Now is within its validity', true),
      expired: flag('Its validity is over'),
      goods: text('Goods in words'),
      firm: text('Firm'),
    })
    .prefault({}),
  weight: z
    .strictObject({
      known: flag('The scale shows a stable weight'),
      kg: num('Weight on the scale, kg'),
      declared_kg: num('Declared gross weight, kg, 0 when not declared'),
      tare_kg: num('Declared tare, kg, 0 when not declared'),
    })
    .prefault({}),
  tag: z
    .strictObject({
      known: flag('A UHF tag was seen at the stop line'),
      epc: text('EPC of the nearest one, upper-case hex, else empty'),
      declared: text('The tag or code as declared, else empty'),
      same: flag('The declared tag or code was seen'),
      other: flag('Tags or codes were seen, and the declared one was not among them'),
    })
    .prefault({}),
  code: z
    .strictObject({
      known: flag('A code was scanned at the stop line'),
      text: text('Its text, else empty'),
    })
    .prefault({}),
  lists: z
    .strictObject({
      detained: flag('A plate or tag that was read, could be meant, or is declared is on the list `detained`'),
      priority_firm: flag('The firm is on the list `priority-firm`'),
    })
    .prefault({}),
  disagreements: texts('Codes of what does not fit: trailer, weight, second-plate, tag, direction, validity'),
  differences: texts('The same with what was declared and what was seen: `trailer 24RM04466 ≠ 24RM00817`'),
})
export type Facts = z.output<typeof facts>
export type FactsInput = z.input<typeof facts>

/** Words that may stand in a reason as `{word}`, and what they become. */
export function words(f: Facts): Record<string, string> {
  return {
    plate: f.vehicle.plate || '?',
    trailer: f.vehicle.trailer || '-',
    lane: f.lane.id,
    direction: f.lane.direction,
    declaration: f.declaration.id || '-',
    declared_direction: f.declaration.direction,
    traffic: f.declaration.traffic,
    takes: f.lane.takes.join(', '),
    channel: f.declaration.channel,
    candidates: String(f.vehicle.candidates),
    kg: String(Math.round(f.weight.kg)),
    tare_kg: String(Math.round(f.weight.tare_kg)),
    declared_kg: String(Math.round(f.weight.declared_kg)),
    tag: f.tag.epc || '-',
    disagreements: (f.differences.length > 0 ? f.differences : f.disagreements).join(', ') || '-',
  }
}

/** One entry of the vocabulary, for `luong rules explain` and the docs. */
export interface Word {
  readonly name: string
  readonly type: 'string' | 'bool' | 'double' | 'list<string>'
  readonly description: string
}

type Schema = { type: string; description?: string; default?: unknown; properties?: Record<string, Schema> }

function celType(schema: Schema): Word['type'] {
  if (schema.type === 'array') return 'list<string>'
  return schema.type === 'boolean' ? 'bool' : schema.type === 'number' ? 'double' : 'string'
}

/** The vocabulary, read out of the schema: top-level name → its CEL type, or the fields of the object behind it. */
export function vocabulary(): { name: string; fields: Word[] | null; word: Word | null }[] {
  const schema = z.toJSONSchema(facts) as unknown as Schema
  return Object.entries(schema.properties ?? {}).map(([name, s]) => {
    const word = (n: string, w: Schema): Word => ({ name: n, type: celType(w), description: w.description ?? '' })
    if (s.properties) return { name, word: null, fields: Object.entries(s.properties).map(([n, w]) => word(`${name}.${n}`, w)) }
    return { name, word: word(name, s), fields: null }
  })
}
