/** The wires and brokers that devices hang on. */
import { z } from 'zod'
import { about, brokerUrl, host, line, tcpPort } from './common.ts'
import { secret } from './secret.ts'
import { clientTls, tlsNeedsUrl } from './tls.ts'

const kind = <K extends string>(value: K, description: string) => z.literal(value).meta(about('Kind', description))

export const serialLink = z
  .strictObject({
    kind: kind('serial', 'A serial port of this machine, RS-485 or RS-232.'),
    path: line(500).meta(about('Path', 'Device file; prefer /dev/serial/by-id/…, which keeps its name when cables are swapped.')),
    baud: z
      .int()
      .min(300)
      .max(921_600)
      .default(9600)
      .meta(about('Baud rate', 'Speed of the line.', 'bit/s')),
    parity: z.enum(['none', 'even', 'odd']).default('none').meta(about('Parity', 'Parity bit.')),
    data_bits: z
      .union([z.literal(7), z.literal(8)])
      .default(8)
      .meta(about('Data bits', '7 or 8.')),
    stop_bits: z
      .union([z.literal(1), z.literal(2)])
      .default(1)
      .meta(about('Stop bits', '1 or 2.')),
  })
  .meta(about('Serial line', 'RS-485 bus or RS-232 line.'))

export const tcpLink = z
  .strictObject({
    kind: kind('tcp', 'A TCP connection to a serial device server or a Modbus TCP board.'),
    host: host.meta(about('Host', 'Name or address of the serial device server or Modbus TCP board.')),
    port: tcpPort(1).meta(about('Port', 'TCP port.')),
  })
  .meta(about('TCP line', 'Serial device server or Modbus TCP board.'))

export const mqttLink = z
  .strictObject({
    kind: kind('mqtt', 'A connection to an MQTT broker.'),
    url: brokerUrl.optional().meta(about('URL', "Another broker; absent: the site's own broker.")),
    username: line(100).optional().meta(about('User name', 'For another broker that asks for one.')),
    password: secret.optional().meta(about('Password', 'For another broker that asks for one.')),
    tls: clientTls,
  })
  .refine(...tlsNeedsUrl)
  .meta(about('MQTT', 'Devices that speak MQTT.'))

export const memoryLink = z
  .strictObject({ kind: kind('memory', 'A line inside the process, for simulated devices: demo and tests.') })
  .meta(about('Memory line', 'Simulated devices in the same process.'))

export const link = z.discriminatedUnion('kind', [serialLink, tcpLink, mqttLink, memoryLink])
