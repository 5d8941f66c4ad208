/** The site file. The only source of its types, its documentation and its JSON Schema (`luong schema`). */
import { z } from 'zod'
import { traffic } from '../../gateway/identity/declaration.ts'

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'use lower-case letters, digits and dashes')
/** `DEVICE.POINT`, e.g. `io-1.di3`. */
export const pointRef = z.string().regex(/^[a-z0-9-]+\.[a-z0-9_-]+$/, 'write DEVICE.POINT, e.g. io-1.di3')
/** A secret: never in the file itself. */
export const secret = z.union([
  z.strictObject({ env: z.string().meta({ title: 'Variable', description: 'Environment variable that holds it.' }) }),
  z.strictObject({ file: z.string().meta({ title: 'File', description: 'File that holds it, relative to the site file.' }) }),
])
export const words = z.strictObject({ vi: z.string(), zh: z.string(), en: z.string() })
const ms = (def: number, min: number, max: number, title: string, description: string) =>
  z.int().min(min).max(max).default(def).meta({ title, description, unit: 'ms' })

export const serialLink = z.strictObject({
  kind: z.literal('serial'),
  path: z.string().meta({ title: 'Path', description: 'Device file; prefer /dev/serial/by-id/…' }),
  baud: z.int().min(300).max(921_600).default(9600).meta({ title: 'Baud rate', description: 'Speed of the line.', unit: 'bit/s' }),
  parity: z.enum(['none', 'even', 'odd']).default('none').meta({ title: 'Parity', description: 'Parity bit.' }),
  data_bits: z
    .union([z.literal(7), z.literal(8)])
    .default(8)
    .meta({ title: 'Data bits', description: '7 or 8.' }),
  stop_bits: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .meta({ title: 'Stop bits', description: '1 or 2.' }),
})
export const tcpLink = z.strictObject({
  kind: z.literal('tcp'),
  host: z.string().meta({ title: 'Host', description: 'Name or address of the serial device server or Modbus TCP board.' }),
  port: z.int().min(1).max(65_535).meta({ title: 'Port', description: 'TCP port.' }),
})
export const mqttLink = z.strictObject({
  kind: z.literal('mqtt'),
  url: z.string().optional().meta({ title: 'URL', description: 'Another broker; absent: the site broker.' }),
  username: z.string().optional(),
  password: secret.optional(),
})
export const memoryLink = z.strictObject({ kind: z.literal('memory') })
export const link = z.discriminatedUnion('kind', [serialLink, tcpLink, mqttLink, memoryLink])

/** `driver` picks the schema of the rest: see firmware-bridge/registry.ts. Parsed a second time by that schema. */
export const device = z.looseObject({ driver: z.string() })

const sensors = z.union([pointRef, z.array(pointRef).min(1)]).transform((v) => (typeof v === 'string' ? [v] : v))

export const lane = z.strictObject({
  name: words.optional(),
  direction: z.enum(['import', 'export']),
  takes: z.array(traffic).min(1).meta({ title: 'Takes', description: 'Traffic classes that may use this lane.' }),
  priority: z.boolean().default(false).meta({ title: 'Priority lane', description: 'Agricultural priority lane.' }),
  sensors: z.strictObject({
    approach: sensors.optional(),
    presence: sensors,
    curtain: sensors.optional(),
    exit: sensors.optional(),
  }),
  barrier: id.meta({ title: 'Barrier', description: 'Device id of the barrier.' }),
  light: id.optional(),
  cameras: z.strictObject({ front: z.array(id).default([]), rear: z.array(id).default([]) }).prefault({}),
  scale: id.optional(),
  idle_light: z.enum(['red', 'green']).default('red'),
  timing: z
    .strictObject({
      debounce_on_ms: ms(40, 0, 2_000, 'Debounce on', 'An input must be on this long to count.'),
      debounce_off_ms: ms(150, 0, 5_000, 'Debounce off', 'An input must be off this long to count.'),
      identify_ms: ms(8_000, 500, 120_000, 'Identify', 'No decision in this time: the vehicle is referred.'),
      authorised_ms: ms(60_000, 5_000, 600_000, 'Authorised', 'An authorisation not used in this time lapses.'),
      arm_open_ms: ms(8_000, 500, 60_000, 'Arm opens', 'Open limit not reached in this time: fault.'),
      arm_close_ms: ms(8_000, 500, 60_000, 'Arm closes', 'Closed limit not reached in this time: fault.'),
      dwell_ms: ms(1_000, 500, 30_000, 'Dwell', 'All safety inputs clear this long before the arm may close.'),
      gap_ms: ms(2_500, 200, 30_000, 'Gap', 'Presence off this long: the vehicle is through, not its drawbar.'),
      abandoned_ms: ms(300_000, 10_000, 3_600_000, 'Abandoned', 'A vehicle standing longer raises an alarm.'),
      retry_ms: ms(1_000, 100, 60_000, 'Retry', 'Pause after a failed command.'),
      command_ttl_ms: ms(1_500, 100, 10_000, 'Command time to live', 'An open or close not on the wire by then is dropped.'),
    })
    .prefault({}),
  /** Only for `luong simulate`: where things stand along the lane, metres from the stop line. */
  simulation: z.looseObject({}).optional(),
})

export const brokerUser = z.strictObject({
  name: z.string(),
  password: secret,
  role: z
    .enum(['device', 'central', 'page', 'admin'])
    .meta({
      title: 'Role',
      description: 'device: its own topics only; central: reads events, sends declarations and commands; page: reads; admin: everything.',
    }),
  publish: z.array(z.string()).default([]),
  subscribe: z.array(z.string()).default([]),
})

export const site = z.strictObject({
  version: z.literal(1).meta({ title: 'Version', description: 'Version of this file format.' }),
  include: z.array(z.string()).default([]).meta({ title: 'Include', description: 'Files merged in before this one, relative to it.' }),
  site: z.strictObject({
    id: id.meta({ title: 'Site id', description: 'Part of every topic and event id.' }),
    name: words,
    timezone: z.string().default('Asia/Ho_Chi_Minh').meta({ title: 'Time zone', description: 'IANA name, for reports and logs.' }),
    root: z.string().default('luong/v1').meta({ title: 'Topic root', description: 'First part of every topic.' }),
  }),
  broker: z
    .union([
      z.strictObject({
        embedded: z.strictObject({
          host: z.string().default('127.0.0.1'),
          port: z.int().min(0).max(65_535).default(1883),
          users: z.array(brokerUser).default([]),
          max_payload_kb: z.int().min(16).max(65_536).default(8_192),
        }),
      }),
      z.strictObject({
        external: z.strictObject({ url: z.string(), username: z.string().optional(), password: secret.optional() }),
      }),
    ])
    .prefault({ embedded: {} }),
  uplink: z
    .strictObject({
      url: z.string().meta({ title: 'URL', description: 'mqtt:// or mqtts:// address of the central broker.' }),
      username: z.string().optional(),
      password: secret.optional(),
      window: z.int().min(1).max(256).default(32).meta({ title: 'Window', description: 'Events sent and not yet acknowledged.' }),
    })
    .optional(),
  http: z.strictObject({ host: z.string().default('127.0.0.1'), port: z.int().min(0).max(65_535).default(8080) }).prefault({}),
  data: z
    .strictObject({
      dir: z.string().default('data'),
      min_free_mb: z.int().min(16).default(200),
      evidence_quota_mb: z.int().min(10).default(2_000),
      evidence_days: z.int().min(1).default(90),
    })
    .prefault({}),
  plates: z
    .strictObject({
      workers: z.int().min(1).max(16).default(1),
      queue: z.int().min(1).max(32).default(2),
      min_weakest: z.number().min(0).max(1).default(0.6),
      min_frames: z.int().min(1).max(10).default(2),
    })
    .prefault({}),
  links: z.record(id, link),
  devices: z.record(id, device),
  lanes: z.record(id, lane),
  rules: z.array(z.string()).min(1).meta({ title: 'Rules', description: 'Rule files in order of precedence, relative to this file.' }),
})
export type SiteInput = z.input<typeof site>
export type Site = z.output<typeof site>
export type LaneConfig = z.output<typeof lane>
export type LinkConfig = z.output<typeof link>
export type BrokerUser = z.output<typeof brokerUser>
