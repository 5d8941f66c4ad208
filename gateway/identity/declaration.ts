/** What a central system sends before the truck arrives. The one source of the type, the validation and the JSON Schema. */
import { z } from 'zod'
import { containerOf, containerProblem } from './iso6346.ts'

const plate = z
  .string()
  .transform((s) =>
    s
      .toUpperCase()
      .replaceAll('Đ', 'D')
      .replace(/[\s.\-·•]/g, ''),
  )
  .pipe(z.string().min(4).max(10))
  .meta({ title: 'Plate', description: 'Number plate; dots, dashes and spaces are ignored, Đ counts as D.' })

export const traffic = z
  .enum(['loaded', 'empty', 'agricultural', 'two-way', 'parcel', 'border-resident'])
  .meta({ title: 'Traffic class', description: 'Which kind of traffic the vehicle is; lanes say which they take.' })
export type Traffic = z.infer<typeof traffic>

/** Number of a declaration; it is part of a topic. */
const id = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'use letters, digits, dot, dash and underscore, 1 to 64 of them')
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line without control characters')

const container = z
  .string()
  .transform(containerOf)
  .superRefine((value, ctx) => {
    const message = containerProblem(value)
    if (message !== null) ctx.addIssue({ code: 'custom', message })
  })
  .meta({ title: 'Container', description: 'ISO 6346 container number with its check digit; spaces and dashes are ignored.' })

/** Codes of growing areas and packing houses are written with and without spaces, and their Đ as D. */
const traceCode = (title: string, description: string) =>
  z
    .string()
    .transform((s) => s.toUpperCase().replaceAll('Đ', 'D').replace(/\s/g, ''))
    .pipe(z.string().regex(/^[A-Z0-9./-]{3,32}$/, 'use 3 to 32 letters, digits, dots, dashes and slashes'))
    .optional()
    .meta({ title, description })

/** One kind of goods on the vehicle. */
export const cargoItem = z
  .strictObject({
    hs: z
      .string()
      .transform((s) => s.replace(/[\s.]/g, ''))
      .pipe(z.string().regex(/^\d{4}(\d\d){0,4}$/, 'write an HS code of 4, 6, 8, 10 or 12 digits'))
      .optional()
      .meta({ title: 'HS code', description: 'Heading of the customs tariff, 4 to 12 digits; dots and spaces are ignored.' }),
    kind: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'use lower-case letters, digits and dashes, e.g. dragon-fruit')
      .optional()
      .meta({ title: 'Kind', description: 'Word that rules and statistics know these goods by, e.g. durian, dragon-fruit.' }),
    name: text(200).optional().meta({ title: 'Goods', description: 'What it is, in words.' }),
    net_kg: z.number().min(0).max(120_000).optional().meta({ title: 'Net weight', description: 'Of these goods.', unit: 'kg' }),
    value: z
      .number()
      .min(0)
      .max(1e13)
      .optional()
      .meta({ title: 'Value', description: 'Of these goods, in the currency of the declaration.' }),
    origin: z
      .string()
      .regex(/^[A-Z]{2}$/, 'write a country as two letters, e.g. VN')
      .optional()
      .meta({ title: 'Origin', description: 'Country of origin, ISO 3166 two letters.' }),
    growing_area: traceCode('Growing-area code', 'Code of the orchard or growing area (mã số vùng trồng, 种植园代码).'),
    packing_house: traceCode('Packing-house code', 'Code of the packing house (mã số cơ sở đóng gói, 包装厂代码).'),
  })
  .refine((item) => Object.keys(item).length > 0, 'says nothing of the goods; fill it in or leave it out')
  .meta({ title: 'Goods', description: 'One kind of goods on the vehicle.' })
export type CargoItem = z.output<typeof cargoItem>

/** What goods are called in rules and figures: their kind, else their HS code, else empty. */
export const goodsName = (item: CargoItem): string => item.kind ?? item.hs ?? ''

export const declaration = z
  .strictObject({
    id: id.meta({ title: 'Id', description: 'Number of the declaration; letters, digits, dot, dash, underscore.' }),
    plate: plate.meta({ title: 'Tractor plate', description: 'Plate of the tractor or rigid truck (front).' }),
    trailer: plate.optional().meta({ title: 'Trailer plate', description: 'Plate of the trailer (rear), where there is one.' }),
    container: container.optional(),
    tag: z.string().max(64).optional().meta({ title: 'Tag', description: 'EPC of its UHF tag in hex, or the text of its QR code.' }),
    direction: z.enum(['import', 'export']).meta({ title: 'Direction', description: 'import: into Vietnam; export: out of Vietnam.' }),
    traffic: traffic.default('loaded'),
    priority: z.boolean().optional().meta({
      title: 'Priority mark',
      description: 'The vehicle counts as marked for the agricultural priority lane without tag or sticker.',
    }),
    perishable: z
      .boolean()
      .optional()
      .meta({ title: 'Perishable', description: 'The goods spoil: the vehicle is called before others when lanes compete.' }),
    goods: z.string().max(200).optional().meta({ title: 'Goods', description: 'What is carried, in words.' }),
    cargo: z
      .array(cargoItem)
      .max(20)
      .optional()
      .meta({ title: 'Cargo', description: 'What is carried, kind by kind, with codes, weight, value and origin.' }),
    currency: z
      .enum(['VND', 'CNY', 'USD'])
      .optional()
      .meta({ title: 'Currency', description: 'Of every value in the cargo; needed as soon as there is one.' }),
    weight_kg: z
      .number()
      .min(0)
      .max(120_000)
      .optional()
      .meta({ title: 'Gross weight', description: 'Declared gross weight of the vehicle with its load.', unit: 'kg' }),
    tare_kg: z.number().min(0).max(60_000).optional().meta({ title: 'Tare', description: 'Weight of the empty vehicle.', unit: 'kg' }),
    firm: z.string().max(120).optional().meta({ title: 'Firm', description: 'Carrier or owner.' }),
    firm_id: text(32).optional().meta({ title: 'Firm number', description: 'Tax or registration number of the firm.' }),
    driver: z.string().max(120).optional().meta({ title: 'Driver', description: 'Name or document number of the driver.' }),
    resident: text(64)
      .optional()
      .meta({ title: 'Border resident', description: 'Document number of the border resident whose daily limit the goods count against.' }),
    two_way: id.optional().meta({
      title: 'Two-way trip',
      description: 'Id of the declaration of the other way: this vehicle brings goods over and carries goods back.',
    }),
    trips: z.int().min(1).max(1_000).optional().meta({
      title: 'Trips',
      description: 'How many passages it is good for within its validity; one when absent.',
    }),
    transship_with: plate.optional().meta({
      title: 'Transshipment',
      description: 'Plate of the vehicle that the goods are moved to or from by hand inside the gate.',
    }),
    quarantine: z
      .enum(['none', 'pending', 'passed', 'failed'])
      .optional()
      .meta({ title: 'Quarantine', description: 'none: not needed; pending: not done yet; passed; failed.' }),
    channel: z
      .enum(['green', 'yellow', 'red'])
      .default('green')
      .meta({ title: 'Inspection channel', description: 'green passes, yellow documents, red inspection.' }),
    valid_from: z.iso.datetime({ offset: true }).meta({ title: 'Valid from', description: 'RFC 3339 with offset.' }),
    valid_to: z.iso.datetime({ offset: true }).meta({ title: 'Valid to', description: 'RFC 3339 with offset; after valid_from.' }),
  })
  .superRefine((d, ctx) => {
    for (const { path, message } of contradictions(d)) ctx.addIssue({ code: 'custom', path, message })
  })
  .meta({ title: 'Declaration', description: 'One vehicle that is expected at the gate.' })
export type Declaration = z.output<typeof declaration>

/** What a declaration says against itself. */
function contradictions(d: {
  readonly id: string
  readonly plate: string
  readonly valid_from: string
  readonly valid_to: string
  readonly two_way?: string | undefined
  readonly transship_with?: string | undefined
  readonly trailer?: string | undefined
  readonly tare_kg?: number | undefined
  readonly weight_kg?: number | undefined
  readonly currency?: string | undefined
  readonly cargo?: readonly { readonly value?: number | undefined }[] | undefined
}): { path: string[]; message: string }[] {
  const out: { path: string[]; message: string }[] = []
  const wrong = (field: string, message: string) => out.push({ path: [field], message })
  if (Date.parse(d.valid_to) <= Date.parse(d.valid_from)) wrong('valid_to', `is not after valid_from (${d.valid_from})`)
  if (d.trailer === d.plate) wrong('trailer', 'is the plate of the tractor as well')
  if (d.two_way === d.id) wrong('two_way', 'is this declaration itself; give the id of the one for the other way')
  if (d.transship_with === d.plate) wrong('transship_with', 'is the vehicle itself; give the plate of the other one')
  if (d.tare_kg !== undefined && d.weight_kg !== undefined && d.tare_kg > d.weight_kg)
    wrong('tare_kg', `is more than the gross weight (${d.weight_kg} kg)`)
  if (d.currency === undefined && d.cargo?.some((c) => c.value !== undefined)) wrong('currency', 'is missing: the cargo has values')
  return out
}

export const listEntry = z
  .strictObject({
    key: z.string().min(1).max(64).meta({ title: 'Key', description: 'Plate, tag or firm the entry is about.' }),
    reason: z.string().max(300).optional().meta({ title: 'Reason', description: 'Why it is listed.' }),
    until: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ title: 'Until', description: 'The entry counts until then; always when absent.' }),
  })
  .meta({ title: 'List entry', description: 'One entry of a list such as detained or priority-firm.' })
export type ListEntry = z.output<typeof listEntry>
