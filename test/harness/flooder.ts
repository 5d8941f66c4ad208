/** A process that publishes pictures as fast as it is told: `node flooder.js URL TOPIC BYTES PER_SECOND`. Says how many were taken when it ends. */
import { connect } from 'mqtt'
import { labelled } from './chaos-site.ts'

const [url = '', topic = '', bytes = '0', rate = '1'] = process.argv.slice(2)
const picture = labelled(null, Number(bytes))
const client = connect(url, { reconnectPeriod: 200 })
let sent = 0
let taken = 0
client.on('error', () => {})
const timer = setInterval(() => {
  // As a camera without a queue: what cannot go out is left out.
  if (!client.connected || sent - taken > 50) return
  sent++
  client.publish(topic, picture, { qos: 1 }, (error) => {
    if (!error) taken++
    else sent--
  })
}, 1000 / Number(rate))
process.on('SIGTERM', () => {
  clearInterval(timer)
  process.stdout.write(`${JSON.stringify({ sent, taken })}\n`, () => process.exit(0))
})
