/** What a site file says about a Modbus relay and input board. */
import { z } from 'zod'
import { profileNames } from './profiles.ts'

const ms = (def: number, min: number, max: number, title: string, description: string) =>
  z.int().min(min).max(max).default(def).meta({ title, description, unit: 'ms' })

export const settings = z.strictObject({
  driver: z.literal('modbus-io').meta({ title: 'Driver', description: 'Modbus RTU or TCP board with relays and inputs.' }),
  link: z.string().meta({ title: 'Link', description: 'The serial or TCP link the board is on.' }),
  profile: z.enum(profileNames).meta({ title: 'Profile', description: 'Which board it is.' }),
  unit: z
    .int()
    .min(1)
    .max(255)
    .optional()
    .meta({ title: 'Unit', description: "Modbus unit address; absent: the board's factory setting." }),
  framing: z
    .enum(['rtu', 'tcp'])
    .default('rtu')
    .meta({ title: 'Framing', description: 'rtu on serial lines and serial device servers; tcp for Modbus TCP boards.' }),
  poll_ms: ms(25, 5, 10_000, 'Poll', 'How often the inputs are read.'),
  stale_ms: ms(500, 50, 60_000, 'Stale', 'An input not confirmed in this time is unknown.'),
  timeout_ms: ms(200, 20, 5_000, 'Time-out', 'The board must have answered by then.'),
  readback_ms: ms(500, 50, 60_000, 'Read back', 'How often the state of the relays is read and compared.'),
  invert: z
    .array(z.string().regex(/^d[io][1-9]\d?$/, 'name a point, e.g. di3'))
    .default([])
    .meta({ title: 'Inverted', description: 'Points whose sense is turned round, e.g. a normally closed contact: [di3].' }),
})
export type Settings = z.output<typeof settings>
