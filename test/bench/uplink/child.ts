/** The process that is killed: Luồng's uplink, or MQTT.js alone. It is told which event happens, and says when it has taken it. */
import { writeSync } from 'node:fs'
import { connect } from 'mqtt'
import { trafficEvent, trafficJson, trafficTopic } from '../../harness/traffic-events.ts'
import { openUplink } from '../../harness/uplink-rig.ts'

const [kind, dir, url] = process.argv.slice(2)
/** A line each: `next N` once, then `ok N`. Written at once, so that what was said before a kill was said. */
const say = (line: string) => writeSync(1, `${line}\n`)

async function luong(): Promise<(n: number) => void> {
  const { journal } = await openUplink({ dir: dir!, url: url! })
  // What is in the journal happened, whether its taking could still be told or not.
  say(`next ${journal.head().sequence + 1}`)
  return (n) => void journal.append([trafficEvent(n)]).then(() => say(`ok ${n}`))
}

async function mqttjs(): Promise<(n: number) => void> {
  const client = connect(url!, { clientId: 'mqttjs', clean: false, reconnectPeriod: 100 })
  client.on('error', () => {})
  say('next 0')
  // Its store, in memory, has it when publish returns.
  return (n) => {
    client.publish(trafficTopic(n), trafficJson(n), { qos: 1 })
    say(`ok ${n}`)
  }
}

const take = await (kind === 'luong' ? luong() : mqttjs())
let rest = ''
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  const lines = (rest + text).split('\n')
  rest = lines.pop()!
  for (const line of lines) take(Number(line))
})
process.stdin.on('end', () => process.exit(0))
