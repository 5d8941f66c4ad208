/** What a site file says about a barrier that is moved by relays of another device. */
import { z } from 'zod'
import { ms, pointRef } from '../../settings.ts'

export const settings = z
  .strictObject({
    driver: z.literal('barrier').meta({ title: 'Driver', description: "Barrier operator on another device's relays and inputs." }),
    kind: z.enum(['pulse', 'hold']).meta({
      title: 'Kind',
      description:
        'pulse: one relay opens, another closes, each by a pulse. hold: the arm is up while the open relay is on and comes down when it drops, also when its board loses power, whatever stands under it.',
    }),
    open: pointRef('Open relay', 'Output wired to the OPEN contact of the operator.'),
    close: pointRef('Close relay', 'Output wired to the CLOSE contact; pulse kind only.').optional(),
    stop: pointRef('Stop relay', 'Output wired to the STOP contact, where there is one.').optional(),
    pulse_ms: ms(500, 100, 3_000, 'Pulse', 'How long a relay is on for one command.'),
    open_limit: pointRef('Open limit', 'Input that is on while the arm is fully open.').optional(),
    closed_limit: pointRef('Closed limit', 'Input that is on while the arm is fully closed.').optional(),
    travel_ms: ms(
      4_000,
      300,
      60_000,
      'Travel',
      'Time the arm needs from one end to the other; positions are derived from it where a limit is missing.',
    ),
    inhibit: z
      .array(pointRef('Safety input', 'Presence loop or light curtain.'))
      .min(1)
      .max(16)
      .meta({ title: 'Inhibit', description: 'Close is never sent while one of these is on, unknown or stale.' }),
  })
  .superRefine((s, ctx) => {
    const fail = (path: string, message: string) => ctx.addIssue({ code: 'custom', path: [path], message })
    if (s.kind === 'pulse' && s.close === undefined) fail('close', 'a pulse barrier needs a close relay')
    if (s.kind === 'hold' && s.close !== undefined) fail('close', 'a hold barrier closes by dropping its open relay: leave close out')
    const outputs = [s.open, s.close, s.stop].filter((ref) => ref !== undefined)
    if (new Set(outputs).size < outputs.length) fail('open', 'open, close and stop must be different outputs')
    if (s.open_limit !== undefined && s.open_limit === s.closed_limit) fail('closed_limit', 'the two limits must be different inputs')
    for (const limit of ['open_limit', 'closed_limit'] as const) {
      if (s[limit] !== undefined && s.inhibit.includes(s[limit]))
        fail('inhibit', `${s[limit]} is the ${limit}; it cannot be a safety input too`)
    }
  })
export type Settings = z.output<typeof settings>
