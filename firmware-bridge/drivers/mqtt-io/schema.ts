/** What a site file says about a relay or sensor device that speaks MQTT. */
import { z } from 'zod'
import { jsonPointer, linkName, ms, pointName, topic } from '../../settings.ts'
import { PRESETS, presetNames } from './presets.ts'

const payload = (title: string, description: string) => z.string().min(1).max(1_024).meta({ title, description })
const channel = z
  .string()
  .regex(/^[A-Za-z0-9_:-]{0,64}$/, 'letters, digits, _ : - only')
  .optional()
  .meta({ title: 'Channel', description: "The device's own name or number of the point, filled into the preset." })
const pointer = jsonPointer(
  'Pointer',
  'Where the value is when the message is JSON; a message without it says nothing about this point.',
).optional()

const input = z.strictObject({
  channel,
  topic: topic('Topic', 'Where the device publishes the level.').optional(),
  on: payload('On', 'Text that means on.').optional(),
  off: payload('Off', 'Text that means off; swap on and off to turn the sense round.').optional(),
  pointer,
})
const output = z.strictObject({
  channel,
  topic: topic('Topic', 'Where the device listens.').optional(),
  on: payload('On', 'What is sent to switch on.').optional(),
  off: payload('Off', 'What is sent to switch off.').optional(),
  state: z
    .strictObject({
      topic: topic('State topic', 'Where the device says what its relay does; a command counts as done when it says so.'),
      on: payload('State on', 'Text that means on.'),
      off: payload('State off', 'Text that means off.'),
      pointer,
    })
    .optional()
    .meta({ title: 'State', description: 'Absent: a command counts as done when the broker has it.' }),
  pulse: z
    .strictObject({
      topic: topic('Pulse topic', 'Where the device takes a pulse it times by itself.'),
      payload: payload('Pulse payload', 'With {ms}, {s} or {ds} (tenths of a second) where the time goes.'),
    })
    .optional()
    .meta({ title: 'Pulse', description: 'Absent: the gateway sends on and, later, off.' }),
})

export const settings = z
  .strictObject({
    driver: z.literal('mqtt-io').meta({ title: 'Driver', description: 'Relays and sensors with an MQTT topic each.' }),
    link: linkName('The MQTT link the device is on.'),
    preset: z.enum(presetNames).optional().meta({
      title: 'Preset',
      description: 'Topics and payloads of a known firmware, for points that name a channel.',
    }),
    base: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[^+#\0]+$/, 'no + or # here')
      .optional()
      .meta({ title: 'Base', description: "The device's topic or prefix, filled into the preset." }),
    inputs: z.record(pointName, input).default({}).meta({ title: 'Inputs', description: 'Points that the device reports, by name.' }),
    outputs: z.record(pointName, output).default({}).meta({ title: 'Outputs', description: 'Relays, by name.' }),
    availability: z
      .strictObject({
        topic: topic('Topic', 'Where the device, or the broker for it, says whether it is there.'),
        online: payload('Online', 'Text that means it is there.').default('online'),
        offline: payload('Offline', 'Text that means it is gone.').default('offline'),
        pointer,
      })
      .optional()
      .meta({ title: 'Availability', description: 'Inputs are unknown until it is online.' }),
    query: z
      .strictObject({
        topic: topic('Topic', 'Where the device takes a request for its state.'),
        payload: z.string().max(1_024).default('').meta({ title: 'Payload', description: 'What is sent.' }),
      })
      .optional()
      .meta({ title: 'Query', description: 'How to ask for the present state.' }),
    query_ms: ms(30_000, 500, 600_000, 'Query interval', 'How often the state is asked for, where it can be.'),
    accept_retained: z.boolean().default(false).meta({
      title: 'Accept retained',
      description: 'Take stored messages for the present level. Off: inputs stay unknown until the device speaks.',
    }),
    stale_ms: z.int().min(500).max(3_600_000).optional().meta({
      title: 'Stale',
      description: 'An input not reported for this long is unknown. Absent: availability alone decides.',
      unit: 'ms',
    }),
    confirm_ms: ms(1_000, 100, 10_000, 'Confirm', 'The device must have confirmed a command by then.'),
  })
  .superRefine((s, ctx) => {
    const fail = (path: string[], message: string) => ctx.addIssue({ code: 'custom', path, message })
    if (s.preset !== undefined && s.base === undefined) fail(['base'], `preset ${s.preset} needs the device's base topic`)
    for (const side of ['inputs', 'outputs'] as const) {
      for (const [name, point] of Object.entries(s[side])) {
        if (point.channel !== undefined && s.preset === undefined) fail([side, name, 'channel'], 'a channel needs a preset')
        for (const key of point.channel === undefined ? (['topic', 'on', 'off'] as const) : []) {
          if (point[key] === undefined) fail([side, name, key], `give ${key}, or a channel of the preset`)
        }
        if (point.on !== undefined && point.on === point.off) fail([side, name, 'off'], 'on and off must differ')
      }
    }
    const watched =
      s.stale_ms !== undefined || s.availability !== undefined || (s.preset !== undefined && 'availability' in PRESETS[s.preset])
    if (Object.keys(s.inputs).length > 0 && !watched) {
      fail(['stale_ms'], 'inputs need availability or stale_ms: else nobody would see that the device died')
    }
  })
export type Settings = z.output<typeof settings>
