/** The MQTT broker of the site, its users, and the way up to the central broker. */
import { z } from 'zod'
import { ORDERS } from '../../gateway/identity/orders.ts'
import { about, brokerUrl, host, id, line, ms, tcpPort, topicFilter } from './common.ts'
import { passwordHash, secret } from './secret.ts'
import { clientTls, serverTls, tlsNeedsUrl } from './tls.ts'

const filters = (title: string, description: string) =>
  z
    .array(topicFilter.meta(about('Topic', 'Topic filter.')))
    .max(100)
    .default([])
    .meta(about(title, description))

export const brokerUser = z
  .strictObject({
    name: line(100).meta(about('Name', 'User name.')),
    password: secret.optional().meta(about('Password', 'Where the password is kept. Either this or `password_hash`.')),
    password_hash: passwordHash
      .optional()
      .meta(
        about(
          'Password hash',
          'In place of `password`: what `luong secret hash` made of it, itself or where it is kept. So the password is only where the client is.',
        ),
      ),
    role: z
      .enum(['device', 'central', 'page', 'admin', 'peer'])
      .meta(
        about(
          'Role',
          'device: its own topics only; central: reads events, sends declarations and commands; page: reads; admin: everything; peer: the other half of a smart gate, its name is that of `peer.site`.',
        ),
      ),
    devices: z
      .array(id.meta(about('Device', 'Device id.')))
      .max(100)
      .default([])
      .meta(
        about(
          'Devices',
          'Which devices this user is, for role device: it may publish what they send and hear what they are sent, by their own settings, and nothing of other devices.',
        ),
      ),
    publish: filters('Publish', 'Topics this user may publish to besides those of its role.'),
    subscribe: filters('Subscribe', 'Topics this user may read besides those of its role.'),
  })
  .superRefine((user, ctx) => {
    if (user.password && user.password_hash)
      ctx.addIssue({ code: 'custom', path: ['password_hash'], message: 'there is `password` already: leave one of the two out' })
    if (!user.password && !user.password_hash)
      ctx.addIssue({
        code: 'custom',
        path: ['password'],
        message: 'is missing: write {file: PATH} or {env: NAME}, or give `password_hash`',
      })
  })

export type BrokerUser = z.output<typeof brokerUser>

const most = (def: number, min: number, max: number, title: string, description: string, unit?: string) =>
  z
    .int()
    .min(min)
    .max(max)
    .default(def)
    .meta(about(title, description, unit))

const limits = z
  .strictObject({
    connections: most(256, 8, 10_000, 'Connections', 'Of all clients together.'),
    per_address: most(32, 1, 10_000, 'Per address', 'Connections from one other machine.'),
    per_user: most(64, 1, 10_000, 'Per user', 'Connections of one user.'),
    connects_per_s: most(
      20,
      1,
      10_000,
      'New connections',
      'From one address; five times as many at once. This machine: ten times that.',
      '1/s',
    ),
    connect_ms: ms(5_000, 500, 60_000, 'Time to connect', 'For the TLS handshake, and for CONNECT.'),
    packet_ms: ms(30_000, 1_000, 600_000, 'Time for a packet', 'One that was begun and is not whole by then ends the connection.'),
    messages_per_s: most(
      1_000,
      10,
      1_000_000,
      'Messages',
      'From one user; five times as many at once. Faster ones are read more slowly.',
      '1/s',
    ),
    kb_per_s: most(32_768, 64, 1_048_576, 'Bytes', 'From one user; five times as many at once. Faster ones are read more slowly.', 'kB/s'),
    subscriptions: most(256, 1, 10_000, 'Subscriptions', 'Of one client.'),
    in_flight: most(100, 1, 65_535, 'In flight', 'Messages of QoS 2 that one client has begun and not finished.'),
    queued_kb: most(16_384, 256, 1_048_576, 'Waiting', 'For one client that reads too slowly; with more it is dropped.', 'kB'),
  })
  .prefault({})
  .meta(about('Limits', 'What one client may take. Reaching one is counted (`luong_broker_limited_total`) and logged.'))

const username = line(100).optional().meta(about('User name', 'When the broker asks for one.'))
const password = secret.optional().meta(about('Password', 'When the broker asks for one.'))

const embedded = z.strictObject({
  embedded: z
    .strictObject({
      host: host.default('127.0.0.1').meta(about('Host', 'Address to listen on. Anything but loopback needs users.')),
      port: tcpPort(0).default(1883).meta(about('Port', 'TCP port to listen on; 0: any free one.')),
      tls: serverTls,
      users: z
        .array(brokerUser.meta(about('User', 'One user of the broker.')))
        .max(200)
        .prefault([])
        .meta(about('Users', 'Who may connect. Empty: anybody on this machine.')),
      max_payload_kb: z
        .int()
        .min(16)
        .max(65_536)
        .default(8_192)
        .meta(about('Largest message', 'Longer messages are refused.', 'kB')),
      limits,
    })
    .meta(about('Embedded', 'The broker in this program.')),
})
const external = z.strictObject({
  external: z
    .strictObject({ url: brokerUrl.meta(about('URL', 'mqtt:// or mqtts:// address of the broker.')), username, password, tls: clientTls })
    .refine(...tlsNeedsUrl)
    .meta(about('External', 'A broker of its own, e.g. Mosquitto.')),
})

export const broker = z.union([embedded, external]).prefault({ embedded: {} })

const orders = z
  .array(z.enum(ORDERS).meta(about('Command', '`do` of a command.')))
  .max(ORDERS.length)
  .default([...ORDERS])
  .meta(
    about(
      'Commands',
      'What may be ordered over this link; anything else is refused with a reply and recorded. Default: everything. A centre that only watches gets [resend-from].',
    ),
  )

export const uplink = z
  .strictObject({
    url: brokerUrl.meta(about('URL', 'mqtt:// or mqtts:// address of the central broker.')),
    others: z
      .array(brokerUrl.meta(about('URL', 'mqtt:// or mqtts:// address of a node.')))
      .max(9)
      .default([])
      .meta(about('Other nodes', 'Where the central broker is a cluster: its other nodes, tried in turn when one is lost.')),
    username,
    password,
    tls: clientTls,
    commands: orders,
    window: z.int().min(1).max(256).default(32).meta(about('Window', 'Events sent and not yet acknowledged.')),
    late_per_s: z
      .int()
      .min(10)
      .max(10_000)
      .default(500)
      .meta(
        about('Late events', 'After a long time away, what was held is sent at most this fast; what happens now goes before it.', '1/s'),
      ),
  })
  .refine(...tlsNeedsUrl)
