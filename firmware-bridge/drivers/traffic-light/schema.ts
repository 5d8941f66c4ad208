/** What a site file says about a traffic light on another device's relays. */
import { z } from 'zod'
import { pointRef } from '../../settings.ts'

export const settings = z
  .strictObject({
    driver: z.literal('traffic-light').meta({ title: 'Driver', description: "Lamps on another device's relays." }),
    red: pointRef('Red', 'Output of the red lamp.'),
    green: pointRef('Green', 'Output of the green lamp.'),
    amber: pointRef('Amber', 'Output of the amber lamp, where there is one.').optional(),
  })
  .superRefine((s, ctx) => {
    const lamps = [s.red, s.green, s.amber].filter((ref) => ref !== undefined)
    if (new Set(lamps).size < lamps.length)
      ctx.addIssue({ code: 'custom', path: ['green'], message: 'each lamp needs an output of its own' })
  })
export type Settings = z.output<typeof settings>
