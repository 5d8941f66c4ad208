/** What a site file says about a weighbridge with a Yaohua XK3190 indicator or one that speaks the same. */
import { z } from 'zod'
import { linkName, ms } from '../../settings.ts'

export const settings = z.strictObject({
  driver: z.literal('xk3190').meta({ title: 'Driver', description: 'Weighbridge indicator Yaohua XK3190 (A9, DS, D10) and Keli clones.' }),
  link: linkName('The serial or TCP link the indicator is on; one indicator a link.'),
  mode: z.enum(['continuous', 'command']).default('continuous').meta({
    title: 'Mode',
    description: 'continuous: the indicator sends by itself. command: it is asked. Must be what the indicator is set to.',
  }),
  address: z
    .string()
    .regex(/^[A-Z]$/, 'one capital letter')
    .default('A')
    .meta({ title: 'Address', description: 'Address of the indicator; command mode only.' }),
  poll_ms: ms(200, 50, 5_000, 'Poll', 'How often the weight is asked for; command mode only.'),
  unit: z.enum(['kg', 't']).default('kg').meta({ title: 'Unit', description: 'What the indicator shows.' }),
  division_kg: z
    .number()
    .min(0.001)
    .max(1_000)
    .default(20)
    .meta({ title: 'Division', description: 'Verification interval d of the scale.', unit: 'kg' }),
  capacity_kg: z
    .number()
    .min(1)
    .max(500_000)
    .default(80_000)
    .meta({ title: 'Capacity', description: 'More than this is an overload.', unit: 'kg' }),
  stable_ms: ms(1_500, 200, 30_000, 'Stable', 'Readings must stay within one division this long to count as stable.'),
  stable_readings: z
    .int()
    .min(2)
    .max(200)
    .default(5)
    .meta({ title: 'Stable readings', description: 'And there must be at least this many of them.' }),
  stale_ms: ms(2_000, 200, 60_000, 'Stale', 'Without a good frame for this long the weight is unknown.'),
})
export type Settings = z.output<typeof settings>
