/** What a central system sends before the truck arrives. The one source of the type, the validation and the JSON Schema. */
import { z } from 'zod'

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

export const declaration = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/)
      .meta({ title: 'Id', description: 'Number of the declaration; letters, digits, dot, dash, underscore.' }),
    plate: plate.meta({ title: 'Tractor plate', description: 'Plate of the tractor or rigid truck (front).' }),
    trailer: plate.optional().meta({ title: 'Trailer plate', description: 'Plate of the trailer (rear), where there is one.' }),
    container: z
      .string()
      .regex(/^[A-Z]{3}[UJZ]\d{7}$/)
      .optional()
      .meta({ title: 'Container', description: 'ISO 6346 container number.' }),
    tag: z.string().max(64).optional().meta({ title: 'Tag', description: 'EPC of its UHF tag in hex, or the text of its QR code.' }),
    direction: z.enum(['import', 'export']).meta({ title: 'Direction', description: 'import: into Vietnam; export: out of Vietnam.' }),
    traffic: traffic.default('loaded'),
    goods: z.string().max(200).optional().meta({ title: 'Goods', description: 'What is carried, in words.' }),
    weight_kg: z.number().min(0).max(120_000).optional().meta({ title: 'Gross weight', description: 'Declared gross weight, kg.' }),
    tare_kg: z.number().min(0).max(60_000).optional().meta({ title: 'Tare', description: 'Weight of the empty vehicle, kg.' }),
    firm: z.string().max(120).optional().meta({ title: 'Firm', description: 'Carrier or owner.' }),
    driver: z.string().max(120).optional().meta({ title: 'Driver', description: 'Name or document number of the driver.' }),
    channel: z
      .enum(['green', 'yellow', 'red'])
      .default('green')
      .meta({ title: 'Inspection channel', description: 'green passes, yellow documents, red inspection.' }),
    valid_from: z.iso.datetime({ offset: true }).meta({ title: 'Valid from', description: 'RFC 3339 with offset.' }),
    valid_to: z.iso.datetime({ offset: true }).meta({ title: 'Valid to', description: 'RFC 3339 with offset.' }),
  })
  .meta({ title: 'Declaration', description: 'One vehicle that is expected at the gate.' })
export type Declaration = z.output<typeof declaration>

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
